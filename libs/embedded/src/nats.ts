import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { connect } from 'node:net';
import { type Clock, fault } from '#kernel';
import { type Child, startChild } from './child.ts';

/** Older servers ignore, without a word, the headers that atomicity rests on. */
const oldestNatsServer: readonly [number, number] = [2, 12];

/** `[2, 15]` of `nats-server: v2.15.1`; undefined when the program is none or does not answer. */
const versionOf = (program: string): readonly [number, number] | undefined => {
  try {
    const match = /v(\d+)\.(\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 }));
    return match ? [Number(match[1]), Number(match[2])] : undefined;
  } catch {
    return undefined;
  }
};

/** True when `version` is one that Holdfast works on. */
const isNewEnough = (version: readonly [number, number]): boolean =>
  version[0] > oldestNatsServer[0] || (version[0] === oldestNatsServer[0] && version[1] >= oldestNatsServer[1]);

/**
 * The nats-server to start: the first new enough one of `explicit`, the folders of `path` and the project's own tools folder.
 * Throws `nats-server-missing`, which names what was found and was too old.
 */
export const findNatsServer = (toolsFolder: string, path: string, explicit?: string): string => {
  const found: string[] = [];
  const inPath = path.split(delimiter).filter((folder) => folder !== '').map((folder) => join(folder, 'nats-server'));
  const candidates = [...(explicit ? [explicit] : []), ...inPath, join(toolsFolder, 'nats', 'usr', 'sbin', 'nats-server'), join(toolsFolder, 'bin', 'nats-server')];
  for (const program of candidates.filter((candidate) => existsSync(candidate))) {
    const version = versionOf(program);
    if (version && isNewEnough(version)) return program;
    found.push(`${program} (${version ? version.join('.') : 'does not run'})`);
  }
  const seen = found.length > 0 ? ` Found, but too old: ${found.join(', ')}.` : '';
  throw fault('unavailable', 'nats-server-missing',
    `nats-server ${oldestNatsServer.join('.')} or newer is needed; scripts/install-nats-server.sh fetches one.${seen}`);
};

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
  await awaitReady(child, () => accepts(options.port), options.clock, 30_000, logFile);
  return child;
};
