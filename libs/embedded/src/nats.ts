import { join } from 'node:path';
import { connect } from 'node:net';
import { type Clock, fault } from '#kernel';
import { type Child, startChild } from './child.ts';
import { listensOn } from './listener.ts';

/** True when something accepts TCP connections on a loopback port. */
export const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });

/** How long a child is waited for. */
export interface Readiness {
  readonly ready: () => Promise<boolean>;
  readonly timeoutMs: number;
  /** Named in errors: where the child's words are. */
  readonly logFile: string;
  readonly clock: Clock;
  /** Asks a child to end that did not become ready. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Nobody waits any more: the child is ended. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until `ready` holds; throws `child-ended` when the child ends first, `child-not-ready` after `timeoutMs`, and the reason of
 * `signal`. A child that did not become ready is gone when this throws: the next start must not meet it at its port and its files.
 */
export const awaitReady = async (child: Child, options: Readiness): Promise<void> => {
  try {
    await untilReady(child, options);
  } catch (error) {
    await child.stop(options.stopSignal);
    throw error;
  }
};

const untilReady = async (child: Child, { ready, timeoutMs, logFile, clock, signal }: Readiness): Promise<void> => {
  const deadline = clock.monotonic() + timeoutMs;
  while (!(await ready())) {
    if (!child.running()) throw fault('unavailable', 'child-ended', `${child.name} ended while starting; its words are in ${logFile}`);
    if (clock.monotonic() > deadline) {
      throw fault('unavailable', 'child-not-ready', `${child.name} did not become ready in ${timeoutMs / 1000} s; its words are in ${logFile}`);
    }
    await clock.sleep(25, signal);
  }
};

/** Where a nats-server runs and what it reads. */
export interface EmbeddedNatsOptions {
  readonly program: string;
  readonly configFile: string;
  /** The client port of the configuration, to know when the server is ready. */
  readonly port: number;
  readonly folder: string;
  readonly clock: Clock;
  /** Gives the start up and ends what was started. */
  readonly signal?: AbortSignal;
}

/** Starts a nats-server and resolves when it accepts clients. */
export const startEmbeddedNats = async (options: EmbeddedNatsOptions): Promise<Child> => {
  const logFile = join(options.folder, 'logs', 'nats.log');
  const child = startChild({
    name: 'nats-server', command: options.program, args: ['-c', options.configFile], env: {}, logFile,
    pidFile: join(options.folder, 'run', 'nats.pid'), clock: options.clock,
  });
  // In this order: the table of sockets takes long to read on some hosts.
  const ready = async (): Promise<boolean> => (await accepts(options.port)) && listensOn(child.pid, options.port);
  await awaitReady(child, { ready, timeoutMs: 30_000, logFile, clock: options.clock, signal: options.signal });
  return child;
};
