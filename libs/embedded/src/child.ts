import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, fault } from '#kernel';

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** True until the process is gone. */
  readonly running: () => boolean;
  /** Asks politely, waits `graceMs`, then kills; resolves when the process is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

/** What to start and where its words go. */
export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Standard output and error are appended here. */
  readonly logFile: string;
  /** Names the process for `endLeftover` of the next start. */
  readonly pidFile: string;
  readonly cwd?: string;
  readonly clock: Clock;
}

/** Kernel start time of a process in clock ticks: with the pid it names one process for ever. Undefined when it is gone. */
const startTicks = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
};

const signalQuietly = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, which is what the signal was for.
  }
};

const exitOf = (child: ChildProcess): Promise<ChildExit> =>
  new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: 127, signal: null }));
  });

/** Starts a process in its own group (so that Ctrl-C reaches only the supervisor) and writes its pid file. */
export const startChild = (options: ChildOptions): Child => {
  mkdirSync(dirname(options.logFile), { recursive: true });
  mkdirSync(dirname(options.pidFile), { recursive: true });
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(options.command, options.args, {
    env: { ...options.env }, detached: true, stdio: ['ignore', log, log], ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  closeSync(log);
  const exited = exitOf(child);
  const pid = child.pid;
  if (pid === undefined) throw fault('unavailable', 'child-not-started', `Could not start ${options.command}; is it installed?`);
  writeFileSync(options.pidFile, JSON.stringify({ pid, startTicks: startTicks(pid) }), { mode: 0o600 });
  let gone = false;
  void exited.then(() => {
    gone = true;
    rmSync(options.pidFile, { force: true });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM', graceMs = 15_000): Promise<void> => {
    if (gone) return;
    signalQuietly(pid, signal);
    const late = new AbortController();
    await Promise.race([exited, options.clock.sleep(graceMs, late.signal).catch(() => undefined)]);
    late.abort();
    if (!gone) signalQuietly(pid, 'SIGKILL');
    await exited;
  };
  return { name: options.name, pid, exited, running: () => !gone, stop };
};

/** Ends the process that an earlier, killed supervisor left behind, if it is still that very process. True when there was one. */
export const endLeftover = async (pidFile: string, clock: Clock, signal: NodeJS.Signals = 'SIGTERM', graceMs = 15_000): Promise<boolean> => {
  let recorded: { pid: number; startTicks?: string };
  try {
    recorded = JSON.parse(readFileSync(pidFile, 'utf8')) as { pid: number; startTicks?: string };
  } catch {
    return false;
  }
  const alive = (): boolean => recorded.startTicks !== undefined && startTicks(recorded.pid) === recorded.startTicks;
  if (!alive()) {
    rmSync(pidFile, { force: true });
    return false;
  }
  signalQuietly(recorded.pid, signal);
  const deadline = clock.monotonic() + graceMs;
  while (alive()) {
    if (clock.monotonic() > deadline) signalQuietly(recorded.pid, 'SIGKILL');
    await clock.sleep(50);
  }
  rmSync(pidFile, { force: true });
  return true;
};
