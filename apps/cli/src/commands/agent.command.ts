import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

/** The words of `holdfast agent`; the agent itself understands them and their flags. */
const verbs: Readonly<Record<string, string>> = {
  install: 'install the agent on this host: --master URL, --token-file FILE or --token - (standard input), --ca FILE, --proxy URL',
  run: 'be the agent of this host until Ctrl-C: --master, --token-file, --state DIR, --config FILE, --temp-dir DIR, --insecure-tls (tests)',
  status: 'how the agent of this host is: --state DIR, --config FILE, --check looks at the network, --json',
  enrol: 'become a node, without serving: --master, --token-file, --state DIR, --again',
  uninstall: 'take the agent off this host: --keep-state',
};

/** Settings of this command line, which the agent does not know and would refuse. */
const ours = /^HOLDFAST_(DATA|URL|TOKEN|USER|PASSWORD|S3_SECRET)(_FILE)?$/;

/** Runs the agent of this build with these words, on this terminal; resolves with its exit code. Ctrl-C reaches it by itself. */
const runAgent = async (context: CommandContext, words: readonly string[]): Promise<number> => {
  const program = join(context.root, 'dist', 'apps', 'agent', 'src', 'main.js');
  const env = Object.fromEntries(Object.entries(context.variables).filter(([name]) => !ours.test(name)));
  const child = spawn(process.execPath, [program, ...words], { stdio: 'inherit', env });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGINT', () => undefined);
  const [code] = await (once(child, 'close') as Promise<[number | null]>);
  return code ?? 1;
};

/** `holdfast agent ...`: the agent of this host, from the same build. */
export const registerAgent = (program: Command, context: CommandContext): void => {
  const agent = program.command('agent').description('the agent of this host');
  for (const [verb, description] of Object.entries(verbs)) {
    agent.command(`${verb} [flags...]`).description(description).allowUnknownOption().helpOption(false)
      // `--json` is everybody's, so it does not come among the flags; the other verbs have nothing to say but their errors.
      .action(async (flags: string[]) => context.onExitCode(await runAgent(context, [verb, ...flags, ...(context.output.json && verb === 'status' ? ['--json'] : [])])));
  }
};
