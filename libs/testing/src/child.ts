import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How to start a server for a test. */
export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Resolved when a line of its output matches. */
  readonly ready: RegExp;
  /** User and group to run as. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds to wait for `ready`. */
  readonly timeoutMs?: number;
}

/** A running server. */
export interface Child {
  readonly pid: number;
  /** The last lines it wrote. */
  output(): string;
  /** Sends the signal and waits for the end; SIGKILL after 10 s. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** True when others than the owner may enter every folder on the way to a file. */
const isReachable = (file: string): boolean => {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
};

/**
 * The command line that runs a program as `user`, ended by the kernel when this process dies in whatever way; without setpriv only
 * an orderly exit ends it. In a checkout below a private folder (`/root`) the user gets the capability to pass it by.
 */
export const commandLine = ({ command, args, user }: Pick<ChildOptions, 'command' | 'args' | 'user'>): readonly [string, readonly string[]] => {
  const as = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'] : [];
  const only = '-all,+dac_read_search';
  const reach = user && !isReachable(command)
    ? [`--bounding-set=${only}`, `--inh-caps=${only}`, `--ambient-caps=${only}`, '--securebits=+no_setuid_fixup'] : [];
  return setpriv ? [setpriv, [...as, ...reach, '--pdeathsig', 'KILL', command, ...args]] : [command, args];
};

const whenReady = async (child: ChildProcess, options: ChildOptions, output: () => string): Promise<void> => {
  const end = performance.now() + (options.timeoutMs ?? 20_000);
  while (!options.ready.test(output())) {
    const gone = child.exitCode !== null || child.signalCode !== null;
    if (gone || performance.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`${options.command} ${gone ? 'ended at once' : 'did not become ready'}:\n${output()}`);
    }
    await delay(5);
  }
};

/** Starts a server and waits until it says that it is ready. */
export const startChild = async (options: ChildOptions): Promise<Child> => {
  const [command, args] = commandLine(options);
  const identity = setpriv ? {} : (options.user ?? {});
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...options.environment }, ...identity });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let text = '';
  const keep = (chunk: Buffer): void => { text = (text + chunk.toString('utf8')).slice(-64_000); };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  await whenReady(child, options, () => text);
  return {
    pid: child.pid ?? 0,
    output: () => text,
    end: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(hard);
    },
  };
};
