import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type Logger, fault, silentLogger } from '#kernel';
import type { CommandContext } from '../context.ts';
import { numberOf } from '../commands/length-of-time.ts';
import { exitCodes } from '../exit-codes.ts';
import { ownSettings } from './master-environment.ts';
import { type Stack, type StackOptions, startStack } from './stack.ts';

interface UpFlags {
  readonly data?: string;
  readonly httpPort?: string;
  readonly advertise?: string;
}

const noteLogger = (context: CommandContext): Logger => ({
  ...silentLogger,
  warn: (message, fields) => context.output.note(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`),
  error: (message, fields) => context.output.note(`${message}${fields ? ` ${JSON.stringify(fields)}` : ''}`),
});

/** Throws `invalid-arguments`. */
const portOf = (text: string): number => {
  const port = numberOf('--http-port', text);
  if (port < 1 || port > 65_535) throw fault('validation', 'invalid-arguments', `--http-port ${text} is no port; give a number from 1 to 65535`);
  return port;
};

const directoryOf = (data: string): string => {
  if (statSync(data, { throwIfNoEntry: false })?.isDirectory() === false) throw fault('validation', 'data-directory-invalid', `${data} is a file; --data names a directory`);
  return data;
};

const stackOptions = (context: CommandContext, flags: UpFlags): StackOptions => ({
  data: directoryOf(context.dataDirectory(flags.data)), root: context.root, clock: context.clock, logger: noteLogger(context),
  path: context.variables['PATH'] ?? '/usr/bin:/bin', settings: ownSettings(context.variables), onStep: (step) => context.output.note(`Holdfast: ${step} ...`),
  ...(flags.advertise ? { advertise: flags.advertise } : {}),
  ...(flags.httpPort ? { httpPort: portOf(flags.httpPort) } : {}),
  ...(context.variables['HOLDFAST_NATS_SERVER'] ? { natsServer: context.variables['HOLDFAST_NATS_SERVER'] } : {}),
});

/**
 * Resolves at the first Ctrl-C, SIGTERM or hang-up; a second one does not hurry an orderly stop. A terminal or pipe that has gone away
 * must not end the supervisor before it has ended its processes.
 */
const interruption = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  });

/** Said until there is one: it cannot be made up for later. */
const recoveryHint = (context: CommandContext, { layout }: Stack): void => {
  const line = (text: string): void => context.output.text(`  ${text}`);
  line('recovery key       none yet. If this directory is lost, nobody can read the backups. Make a key and keep it somewhere else:');
  line('                     scripts/holdfast repo keygen > recovery.key');
  line(`                     HOLDFAST_DATA=${layout.data} scripts/holdfast recipients add age1...   (the first line of the file has it)`);
  line('                   docs/guides/disaster-recovery.md says how to use it.');
};

const announce = async (context: CommandContext, stack: Stack): Promise<void> => {
  const { items } = await stack.api.get<{ readonly items: readonly { readonly class: string }[] }>('/api/v1/recipients');
  const recoverable = items.some((recipient) => recipient.class === 'data');
  context.output.message('stack', {
    url: stack.url, user: stack.admin.user, password_file: stack.layout.adminPassword, node: stack.node, data: stack.layout.data, logs: stack.layout.logs,
    recovery_recipients: items.length,
  });
  context.output.text();
  context.output.text(`  REST and OpenAPI   ${stack.url}/api/docs`);
  context.output.text(`  first admin        ${stack.admin.user}   password in ${stack.layout.adminPassword}`);
  context.output.text(`  data and logs      ${stack.layout.data}`);
  context.output.text(`  command line       HOLDFAST_DATA=${stack.layout.data} scripts/holdfast status`);
  if (!recoverable) recoveryHint(context, stack);
  context.output.text('  stop               Ctrl-C (everything is kept; the next start goes on)');
  context.output.text();
};

const up = async (context: CommandContext, flags: UpFlags): Promise<void> => {
  const interrupted = interruption();
  const stack = await startStack(stackOptions(context, flags));
  try {
    await announce(context, stack);
    await interrupted;
    context.output.note('Holdfast: stopping ...');
  } finally {
    await stack.stop();
  }
};

const quickstart = async (context: CommandContext, paths: readonly string[], flags: UpFlags & { readonly exit?: boolean }): Promise<void> => {
  const chosen = (paths.length > 0 ? paths : [join(context.root, 'node_modules')]).map((path) => resolve(path));
  for (const path of chosen) if (!existsSync(path)) throw fault('not-found', 'path-not-found', `There is no ${path}; name a directory or file that exists`);
  const interrupted = interruption();
  const stack = await startStack(stackOptions(context, flags));
  try {
    const work = (await import('../quickstart/quickstart.ts')).quickstart(stack, chosen, context.output, context.clock);
    const summary = await Promise.race([work, interrupted]);
    if (!summary) return context.onExitCode(exitCodes.cancelled);
    await announce(context, stack);
    process.stdout.write(`${JSON.stringify({ message_type: 'summary', ...summary })}\n`);
    if (!summary.identical) context.onExitCode(exitCodes.failed);
    if (!flags.exit) {
      context.output.note('Holdfast is running; stop it with Ctrl-C.');
      await interrupted;
    }
  } finally {
    await stack.stop();
  }
};

/** `holdfast up` and `holdfast quickstart`. */
export const registerUpCommands = (program: Command, context: CommandContext): void => {
  program.command('up').description('run the embedded stack on this machine: NATS, Postgres, master, one agent')
    .option('--data <directory>', 'where everything is kept (default: HOLDFAST_DATA, or .holdfast beside the program)')
    .option('--http-port <port>', 'port of the REST interface on loopback')
    .option('--advertise <address>', 'let other hosts connect, which reach this one by that name or address: NATS with TLS under an authority of its own; kept for later starts (127.0.0.1 takes it back)')
    .action((flags: UpFlags) => up(context, flags));
  program.command('quickstart [paths...]').description('the embedded stack, one backup, one restore, compared')
    .option('--data <directory>', 'where everything is kept')
    .option('--http-port <port>', 'port of the REST interface on loopback')
    .option('--exit', 'stop everything afterwards')
    .action((paths: string[], flags: UpFlags & { readonly exit?: boolean }) => quickstart(context, paths, flags));
};
