import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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

/** The kernel ends the child when this process dies in whatever way; without setpriv only an orderly exit does. */
const tied = ({ command, args, user }: ChildOptions): readonly [string, readonly string[]] => {
  const as = user ? ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'] : [];
  return setpriv ? [setpriv, [...as, '--pdeathsig', 'KILL', command, ...args]] : [command, args];
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
  const [command, args] = tied(options);
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
