import 'reflect-metadata';
import { type Variables, environment } from '#config';
import { fault, isAppError, isBundled, messageOf } from '#kernel';
import { enrolCommand } from './enrol/enrol.command.ts';
import { uninstallCommand } from './install/uninstall.ts';
import { installVerb } from './verbs/install.verb.ts';
import { runVerb } from './verbs/run.verb.ts';
import { statusVerb } from './verbs/status.verb.ts';
import { agentVersion } from './version.ts';

const help = `Usage: holdfast-agent [VERB] [FLAGS]
  run        serve, until it is told to end (what the bare program does); with --master and a token become a node first
  status     how the agent of this host is; --check looks at the network, --json
  install    with --master and a token: what the one line of an enrolment link does
  enrol      with --master and a token: become a node, without serving
  uninstall  take the agent off this host; --keep-state
  --version
A token comes from --token-file FILE, from --token - (standard input), or from HOLDFAST_ENROL_TOKEN.`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const showHelp = (): number => {
  print(help);
  return 0;
};

/** What each first word does; resolves with the exit code. */
const verbs: Readonly<Record<string, (args: readonly string[], variables: Variables) => Promise<number | undefined>>> = {
  run: (args, variables) => runVerb(args, variables, undefined),
  // "serve FILE": a version that the installed file FILE has started.
  serve: ([launcher], variables) => runVerb([], variables, launcher),
  status: statusVerb,
  install: installVerb,
  enrol: async (args, variables) => void print(await enrolCommand(args, variables)),
  uninstall: async (args) => void print(uninstallCommand(args)),
  '--version': async () => void print(agentVersion),
  '--help': async () => showHelp(),
};

const main = async ([word, ...args]: readonly string[]): Promise<number> => {
  if (word === undefined) return runVerb([], environment(), isBundled() ? process.execPath : undefined);
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (!verb) throw fault('validation', 'invalid-arguments', `There is no ${word}.\n${help}`);
  // Before the verb sees it: nobody who asks what uninstall does means to do it.
  if (args.includes('--help') || args.includes('-h')) return showHelp();
  return (await verb(args, environment())) ?? 0;
};

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.detail}` : messageOf(error)}\n`);
    process.exit(1);
  },
);
