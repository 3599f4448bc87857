import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { type ListenOptions, createServer } from 'node:net';
import { join } from 'node:path';
import { fault } from '#kernel';
import type { StackLayout } from './layout.ts';

/** Loopback ports of an embedded stack; chosen at its first start and kept, so that addresses stay the same. */
export interface StackPorts {
  readonly nats: number;
  readonly natsMonitor: number;
  readonly postgres: number;
  readonly http: number;
}

/** Ports that are this stack's until they are given back, also before its servers listen on them. */
export interface HeldPorts {
  readonly ports: StackPorts;
  /** Lets other stacks have them; the end of the process does so too. */
  readonly release: () => void;
}

type Release = () => void;

const bind = (place: ListenOptions): Promise<Release | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(place, () => {
      server.unref();
      resolve(() => server.close());
    });
  });

const isFree = async (port: number): Promise<boolean> => {
  const release = await bind({ host: '127.0.0.1', port, exclusive: true });
  release?.();
  return release !== undefined;
};

/**
 * Speaks for a port towards other stacks of this machine: between the choice and the moment when the server listens there are seconds,
 * in which another first start would choose it too. A name in Linux' abstract namespace is bound by one process at a time and falls
 * with it, however it ends. Elsewhere nobody is kept out. Undefined when another stack speaks for it.
 */
const hold = (port: number): Promise<Release | undefined> =>
  process.platform === 'linux' ? bind({ path: `\0holdfast-port-${port}` }) : Promise.resolve(() => undefined);

const usual: StackPorts = { nats: 4222, natsMonitor: 8222, postgres: 5433, http: 8480 };

const taken = (use: string, port: number): Error =>
  fault('conflict', 'port-in-use', `Port ${port}, which this stack uses for ${use}, is taken by another program; end it, or choose another --data directory`);

/**
 * Makes this process the only stack of a data directory until it gives it back or ends. Throws `stack-running` when there is one: what
 * belongs to it would be taken for leftovers. Outside Linux nobody is kept out.
 */
export const holdDirectory = async (data: string): Promise<Release> => {
  if (process.platform !== 'linux') return () => undefined;
  const name = createHash('sha256').update(realpathSync(data)).digest('hex').slice(0, 32);
  const release = await bind({ path: `\0holdfast-data-${name}` });
  if (!release) throw fault('conflict', 'stack-running', `A stack runs in ${data} already; use it, end it with Ctrl-C where it was started, or choose another --data directory`);
  return release;
};

/** Holds the first free loopback port from `preferred` upwards. */
const holdFrom = async (preferred: number, releases: Release[]): Promise<number> => {
  for (let port = preferred; ; port++) {
    const release = await hold(port);
    if (!release) continue;
    if (await isFree(port)) {
      releases.push(release);
      return port;
    }
    release();
  }
};

/** Holds this very port; throws `port-in-use` when another program has it: its answers would be taken for ours. */
const holdExactly = async (use: string, port: number, releases: Release[]): Promise<number> => {
  const release = await hold(port);
  if (!release) throw taken(use, port);
  releases.push(release);
  if (!(await isFree(port))) throw taken(use, port);
  return port;
};

/**
 * Holds the ports of this data directory: those of its last start, or free ones near the usual numbers. The agent was told those of NATS
 * and of the master when it enrolled, so these stay from then on; the others move out of the way of other programs. Throws
 * `port-in-use` when one that has to stay is taken.
 */
export const holdPorts = async (layout: StackLayout, http?: number): Promise<HeldPorts> => {
  const kept = existsSync(layout.ports) ? (JSON.parse(readFileSync(layout.ports, 'utf8')) as StackPorts) : undefined;
  const told = existsSync(join(layout.agent, 'node.json'));
  const releases: Release[] = [];
  const release = (): void => releases.splice(0).forEach((one) => one());
  const choose = (use: keyof StackPorts, fixed: number | undefined): Promise<number> =>
    fixed === undefined ? holdFrom(kept?.[use] ?? usual[use], releases) : holdExactly(use, fixed, releases);
  try {
    const ports: StackPorts = {
      nats: await choose('nats', told ? kept?.nats : undefined), http: await choose('http', http ?? (told ? kept?.http : undefined)),
      natsMonitor: await choose('natsMonitor', undefined), postgres: await choose('postgres', undefined),
    };
    writeFileSync(layout.ports, `${JSON.stringify(ports)}\n`);
    return { ports, release };
  } catch (error) {
    release();
    throw error;
  }
};
