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

/** Waits until `ready` holds; throws `child-not-ready` when the child ends first or `timeoutMs` have passed. */
export const awaitReady = async (child: Child, ready: () => Promise<boolean>, clock: Clock, timeoutMs: number, logFile: string): Promise<void> => {
  const deadline = clock.monotonic() + timeoutMs;
  while (!(await ready())) {
    if (!child.running()) throw fault('unavailable', 'child-ended', `${child.name} ended while starting; its words are in ${logFile}`);
    if (clock.monotonic() > deadline) {
      throw fault('unavailable', 'child-not-ready', `${child.name} did not become ready in ${timeoutMs / 1000} s; its words are in ${logFile}`);
    }
    await clock.sleep(25);
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
}

/** Starts a nats-server and resolves when it accepts clients. */
export const startEmbeddedNats = async (options: EmbeddedNatsOptions): Promise<Child> => {
  const logFile = join(options.folder, 'logs', 'nats.log');
  const child = startChild({
    name: 'nats-server', command: options.program, args: ['-c', options.configFile], env: {}, logFile,
    pidFile: join(options.folder, 'run', 'nats.pid'), clock: options.clock,
  });
  await awaitReady(child, async () => listensOn(child.pid, options.port) && (await accepts(options.port)), options.clock, 30_000, logFile);
  return child;
};
