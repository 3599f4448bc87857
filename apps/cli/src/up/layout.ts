import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fault } from '#kernel';

/** Loopback ports of an embedded stack; chosen at its first start and kept, so that addresses stay the same. */
export interface StackPorts {
  readonly nats: number;
  readonly natsMonitor: number;
  readonly postgres: number;
  readonly http: number;
}

/** Where everything of an embedded stack lies, below one data directory. */
export interface StackLayout {
  readonly data: string;
  readonly keys: string;
  readonly nats: string;
  readonly natsConfig: string;
  readonly objects: string;
  readonly agent: string;
  readonly logs: string;
  readonly run: string;
  readonly ports: string;
  readonly postgresPassword: string;
  readonly adminPassword: string;
  /** Address and first admin for the command line on this machine. */
  readonly access: string;
}

/** Names the files of a data directory and makes the directory (0711: only Postgres' account passes through it). */
export const layoutOf = (data: string): StackLayout => {
  mkdirSync(data, { recursive: true, mode: 0o711 });
  return {
    data,
    keys: join(data, 'keys'),
    nats: join(data, 'nats'),
    natsConfig: join(data, 'nats', 'nats.conf'),
    objects: join(data, 'objects'),
    agent: join(data, 'agent'),
    logs: join(data, 'logs'),
    run: join(data, 'run'),
    ports: join(data, 'ports.json'),
    postgresPassword: join(data, 'postgres.password'),
    adminPassword: join(data, 'first-admin.password'),
    access: join(data, 'access.json'),
  };
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** The first free loopback port from `preferred` upwards that is not in `taken`. */
const freePort = async (preferred: number, taken: readonly number[]): Promise<number> => {
  for (let port = preferred; ; port++) if (!taken.includes(port) && (await isFree(port))) return port;
};

const usual: StackPorts = { nats: 4222, natsMonitor: 8222, postgres: 5433, http: 8480 };

/**
 * The ports of this data directory: those of its last start, or free ones near the usual numbers. The agent was told those of NATS and
 * of the master when it enrolled, so these stay from then on; the others move out of the way of other programs.
 */
export const portsOf = async (layout: StackLayout, http?: number): Promise<StackPorts> => {
  const kept = existsSync(layout.ports) ? (JSON.parse(readFileSync(layout.ports, 'utf8')) as StackPorts) : undefined;
  const told = existsSync(join(layout.agent, 'node.json'));
  const chosen: number[] = [];
  const choose = async (use: keyof StackPorts, fixed: boolean): Promise<number> => {
    const port = kept && fixed ? kept[use] : await freePort(kept?.[use] ?? usual[use], chosen);
    chosen.push(port);
    return port;
  };
  const ports: StackPorts = {
    nats: await choose('nats', told), http: http ?? (await choose('http', told)), natsMonitor: await choose('natsMonitor', false),
    postgres: await choose('postgres', false),
  };
  writeFileSync(layout.ports, `${JSON.stringify(ports)}\n`);
  return ports;
};

/** Throws `port-in-use` when another program has one of the stack's ports: its answers would be taken for ours. */
export const assertFree = async (ports: StackPorts): Promise<void> => {
  for (const [use, port] of Object.entries(ports)) {
    if (await isFree(port as number)) continue;
    throw fault('conflict', 'port-in-use', `Port ${port}, which this stack uses for ${use}, is taken by another program; end it, or choose another --data directory`);
  }
};

/** The secret in `file`, made at the first call. 160 bits in URL-safe characters; readable by its owner only. */
export const secretIn = (file: string): string => {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const secret = randomBytes(20).toString('base64url');
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
};
