import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort, removeTempDir, startNats, startPostgres, tempDir, waitUntil } from '#testing';
import { type Call, StandIn } from './stand-in.ts';

/** A fleet of stand-ins with its servers and one master: the built one, in a process of its own. */
export interface Fleet {
  readonly url: string;
  /** API key of an operator. */
  readonly key: string;
  /** Tasks of all nodes, so that neighbours are of different nodes. */
  readonly tasks: readonly string[];
  /** When the node got the command of a run, monotonic milliseconds. */
  readonly held: ReadonlyMap<string, number>;
  /** The processes that do the work. */
  readonly pids: Readonly<Record<'master' | 'nats' | 'postgres', number>>;
  call: Call;
  stop(): Promise<void>;
}

/** What a fleet is made of. */
export interface FleetOptions {
  readonly nodes: number;
  readonly tasksPerNode: number;
  /** Where the master leaves its CPU profile when it ends. */
  readonly profile?: string;
}

const password = 'correct horse battery staple';
const program = resolve(import.meta.dirname, '../../../apps/master/src/main.js');

const startMaster = async (variables: Readonly<Record<string, string>>, logFile: string, profile: string | undefined): Promise<ChildProcess> => {
  const log = openSync(logFile, 'a');
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`];
  const child = spawn(process.execPath, [...flags, program], { stdio: ['ignore', log, log], env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...variables } });
  closeSync(log);
  process.once('exit', () => child.kill('SIGKILL'));
  return child;
};

const caller = (url: string, headers: Record<string, string>): Call => async (method, path, body) => {
  const response = await fetch(new URL(path, url), {
    method, headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as never;
};

const logIn = async (url: string): Promise<string> => {
  const answer = await fetch(new URL('/api/v1/sessions', url), {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'admin', password }),
  });
  const cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  const { secret } = await caller(url, { cookie })<{ secret: string }>('POST', '/api/v1/api-keys', { name: 'bench', role: 'admin' });
  return secret;
};

const populate = async (call: Call, { nodes, tasksPerNode }: FleetOptions, held: Map<string, number>): Promise<{ standIns: StandIn[]; tasks: string[] }> => {
  const { id: target } = await call<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' });
  const standIns: StandIn[] = [];
  for (let n = 0; n < nodes; n++) {
    standIns.push(await StandIn.enrol(call, `host-${n}`, (run, at) => { if (!held.has(run)) held.set(run, at); }));
  }
  const tasks: string[] = [];
  for (let round = 0; round < tasksPerNode; round++) {
    for (const { node } of standIns) {
      const body = { name: `task ${round} of ${node}`, nodes: [node], target, source: { type: 'files', paths: ['/srv/data', '/etc'] }, overlap: 'queue' };
      tasks.push((await call<{ id: string }>('POST', '/api/v1/tasks', body)).id);
    }
  }
  await waitUntil(async () => {
    const { items } = await call<{ items: { presence: string }[] }>('GET', '/api/v1/nodes?limit=200');
    return items.filter((node) => node.presence === 'online').length === nodes;
  }, 60_000);
  return { standIns, tasks };
};

/** Starts servers, master and stand-ins, and gives every node its tasks. */
export const startFleet = async (options: FleetOptions): Promise<Fleet> => {
  const [nats, postgres, dir] = await Promise.all([startNats({ operatorMode: true }), startPostgres(), tempDir('fleet')]);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const master = await startMaster({
    HOLDFAST_NATS_URL: nats.url, HOLDFAST_POSTGRES_URL: postgres.url, HOLDFAST_KEYS_DIR: nats.keysDir, HOLDFAST_DATA_DIR: dir, HOLDFAST_HTTP_HOST: '127.0.0.1',
    HOLDFAST_HTTP_PORT: String(port), HOLDFAST_PUBLIC_URL: url, HOLDFAST_FIRST_ADMIN_PASSWORD: password,
  }, join(dir, 'master.log'), options.profile);
  await waitUntil(async () => (await fetch(new URL('/health/ready', url))).ok, 60_000);
  const key = await logIn(url);
  const call = caller(url, { authorization: `Bearer ${key}` });
  const held = new Map<string, number>();
  const { standIns, tasks } = await populate(call, options, held);
  return {
    url, key, tasks, held, call, pids: { master: master.pid ?? 0, nats: nats.pid(), postgres: postgres.pid() },
    stop: async () => {
      await Promise.all(standIns.map((one) => one.close()));
      const ended = once(master, 'exit');
      master.kill('SIGTERM');
      await ended;
      await Promise.all([nats.stop(), postgres.stop()]);
      removeTempDir(dir);
    },
  };
};
