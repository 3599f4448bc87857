import { Command, CommanderError } from 'commander';
import { fault } from '#kernel';
import { CommandContext, type GlobalOptions } from './context.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

/** Groups of commands, each loaded only when one of its words is used: start-up time is part of a command's feel. */
const groups: readonly { readonly words: readonly string[]; readonly register: (program: Command, context: CommandContext) => Promise<void> }[] = [
  { words: ['repo'], register: async (p, c) => (await import('./repo/register.ts')).registerRepoCommands(p, c) },
  { words: ['up', 'quickstart'], register: async (p, c) => (await import('./up/up.command.ts')).registerUpCommands(p, c) },
  { words: ['keys'], register: async (p, c) => (await import('./commands/keys.command.ts')).registerKeys(p, c) },
  { words: ['projections', 'doctor'], register: async (p, c) => (await import('./commands/administration.command.ts')).registerAdministration(p, c) },
  { words: ['status'], register: async (p, c) => (await import('./commands/status.command.ts')).registerStatus(p, c) },
  { words: ['nodes', 'targets'], register: async (p, c) => (await import('./commands/fleet.command.ts')).registerFleet(p, c) },
  { words: ['agent'], register: async (p, c) => (await import('./commands/agent.command.ts')).registerAgent(p, c) },
  { words: ['api-keys'], register: async (p, c) => (await import('./commands/api-keys.command.ts')).registerApiKeys(p, c) },
  { words: ['recipients'], register: async (p, c) => (await import('./commands/recipients.command.ts')).registerRecipients(p, c) },
  { words: ['tasks', 'run', 'runs'], register: async (p, c) => (await import('./commands/work.command.ts')).registerWork(p, c) },
  { words: ['repositories', 'prune'], register: async (p, c) => (await import('./commands/repositories.command.ts')).registerRepositories(p, c) },
  { words: ['snapshots', 'browse', 'restore', 'verify'], register: async (p, c) => (await import('./commands/snapshots.command.ts')).registerSnapshots(p, c) },
];

const makeProgram = (): Command =>
  new Command('holdfast')
    .description('Event-sourced backups for fleets')
    .option('--json', 'one JSON object a line instead of text')
    .option('--url <url>', 'address of the master (default: HOLDFAST_URL, or the embedded stack of this machine)')
    .addHelpText('after', '\n--version prints the version. Each command explains itself with --help.\nExit codes: 0 done, 1 failed, 2 usage, 3 partial, 4 not found, 5 refused, 130 cancelled.')
    .configureHelp({ showGlobalOptions: true })
    // Usage errors are told as all others are.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();

/** Help that was asked for is no mistake; help shown in place of a missing word is. */
const exitCodeOfUsage = (error: CommanderError): number => (error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);

const usageFault = ({ message }: CommanderError) => fault('validation', 'invalid-arguments', `${message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '')}; --help says what there is`);

/** Runs one command line; resolves with the exit code and never throws. */
export const runCommandLine = async (args: readonly string[]): Promise<number> => {
  const program = makeProgram();
  const context = new CommandContext(() => program.opts<GlobalOptions>());
  // Not an option of the program: `nodes upgrade --version` means another one.
  if (args[0] === '--version') {
    context.output.text(context.version());
    return exitCodes.ok;
  }
  const word = args.find((arg) => !arg.startsWith('-'));
  const wanted = groups.filter((group) => word !== undefined && group.words.includes(word));
  let exitCode: number = exitCodes.ok;
  context.onExitCode = (code) => { exitCode = code; };
  try {
    for (const group of wanted.length > 0 ? wanted : groups) await group.register(program, context);
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0 && error.code !== 'commander.help') context.output.error(usageFault(error));
      return exitCodeOfUsage(error);
    }
    context.output.error(error);
    return exitCodeOf(error);
  }
};
