import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Logger, messageOf } from '#kernel';
import { type Child, awaitReady, listensOn, endLeftover, startChild, startEmbeddedNats, startEmbeddedPostgres } from '#embedded';
import { findNatsServer } from '#identity';
import type { ApiClient } from '../api-client.ts';
import { login } from '../context.ts';
import { prepareNats } from './nats-configuration.ts';
import { type StackLayout, layoutOf, secretIn } from './layout.ts';
import { enrolLocalAgent } from './local-agent.ts';
import { masterEnvironment } from './master-environment.ts';
import type { StackNetwork } from './network.ts';
import { type StackPorts, holdDirectory, holdPorts } from './ports.ts';
import { Supervisor } from './supervisor.ts';

/** What to start and how. */
export interface StackOptions {
  /** Directory that holds everything; made when missing. */
  readonly data: string;
  /** Port of the console and the REST interface; default: a free one near 8480, kept for later starts. */
  readonly httpPort?: number;
  /** Name or address under which other hosts reach this one; the earlier choice, else nobody but this host. */
  readonly advertise?: string;
  /** Folder of the checkout or installation: `dist/`, `.tools/`. */
  readonly root: string;
  /** `PATH`, and the nats-server that the operator names, if any. */
  readonly path: string;
  readonly natsServer?: string;
  /** Further settings of the master; those that the stack chooses itself cannot be changed by them. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told in a few words what is being done. */
  readonly onStep?: (step: string) => void;
}

/** A running stack and how to use it. */
export interface Stack {
  readonly url: string;
  readonly admin: { readonly user: string; readonly password: string };
  readonly layout: StackLayout;
  /** An interface that is logged in as the first admin. */
  readonly api: ApiClient;
  /** Id of the node of this host. */
  readonly node: string;
  stop(): Promise<void>;
}

const ended = ['agent', 'master', 'postgres', 'nats'] as const;

/** What a start listens on. */
interface Place {
  readonly ports: StackPorts;
  readonly network: StackNetwork;
}

const program = (options: StackOptions, app: 'master' | 'agent'): string => join(options.root, 'dist', 'apps', app, 'src', 'main.js');

const answersReady = (url: string) => (): Promise<boolean> =>
  fetch(new URL('/health/ready', url), { signal: AbortSignal.timeout(2000) }).then((response) => response.ok, () => false);

const startMaster = async (layout: StackLayout, { ports, network }: Place, options: StackOptions, signal: AbortSignal): Promise<Child> => {
  const logFile = join(layout.logs, 'master.log');
  const child = startChild({
    name: 'master', command: process.execPath, args: ['--enable-source-maps', program(options, 'master')], logFile, clock: options.clock,
    env: { ...options.settings, ...masterEnvironment(layout, ports, network, options.path) }, pidFile: join(layout.run, 'master.pid'),
  });
  const answers = answersReady(`http://127.0.0.1:${ports.http}`);
  const ready = async (): Promise<boolean> => (await answers()) && listensOn(child.pid, ports.http);
  await awaitReady(child, { ready, timeoutMs: 120_000, logFile, clock: options.clock, signal });
  return child;
};

const startAgent = async (layout: StackLayout, options: StackOptions): Promise<Child> =>
  startChild({
    name: 'agent', command: process.execPath, args: [program(options, 'agent')], logFile: join(layout.logs, 'agent.log'), clock: options.clock,
    env: { PATH: options.path, NODE_ENV: 'production', HOLDFAST_STATE_DIR: layout.agent }, pidFile: join(layout.run, 'agent.pid'),
  });

/** The target that objects go to until the user names another: the master's own disk. */
const ensureBuiltinTarget = async (api: ApiClient): Promise<void> => {
  const targets = await api.all<{ readonly kind: string }>('/api/v1/targets');
  if (targets.length === 0) await api.post('/api/v1/targets', { name: 'builtin', kind: 'builtin' });
};

const endLeftovers = async (layout: StackLayout, clock: Clock, logger: Logger): Promise<void> => {
  for (const name of ended) {
    const signal = name === 'postgres' ? 'SIGINT' : 'SIGTERM';
    if (await endLeftover(join(layout.run, `${name}.pid`), clock, signal)) logger.warn(`ended a ${name} that an earlier start left behind`);
  }
};

const startParts = async (supervisor: Supervisor, layout: StackLayout, ports: StackPorts, options: StackOptions): Promise<void> => {
  const { clock, data, onStep } = { clock: options.clock, data: layout.data, onStep: options.onStep ?? (() => undefined) };
  onStep('starting NATS');
  const network = await prepareNats(layout, ports, options.advertise, clock);
  const natsProgram = await findNatsServer({ path: options.path, projectRoot: options.root, explicit: options.natsServer });
  await supervisor.add({
    name: 'nats', stopSignal: 'SIGTERM',
    start: (signal) => startEmbeddedNats({ program: natsProgram, configFile: layout.natsConfig, port: ports.nats, folder: data, clock, signal }),
  });
  onStep('starting Postgres');
  const password = secretIn(layout.postgresPassword);
  await supervisor.add({
    name: 'postgres', stopSignal: 'SIGINT', start: (signal) => startEmbeddedPostgres({ folder: data, port: ports.postgres, password, clock, signal }),
  });
  onStep('starting the master');
  secretIn(layout.adminPassword);
  await supervisor.add({ name: 'master', start: (signal) => startMaster(layout, { ports, network }, options, signal) });
};

/**
 * Starts the embedded stack in its order (keys, NATS, Postgres, master, agent), enrols this host at the first start, and keeps
 * every part running until `stop`. Ends what an earlier, killed start left behind; throws `stack-running` where one is alive. Throws with
 * nothing left running.
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const layout = layoutOf(options.data);
  for (const folder of [layout.nats, layout.objects, layout.logs, layout.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const leave = await holdDirectory(layout.data);
  try {
    return await startHeld(layout, options, leave);
  } catch (error) {
    leave();
    throw error;
  }
};

const startHeld = async (layout: StackLayout, options: StackOptions, leave: () => void): Promise<Stack> => {
  await endLeftovers(layout, options.clock, options.logger);
  const held = await holdPorts(layout, options.httpPort);
  const { ports } = held;
  const url = `http://127.0.0.1:${ports.http}`;
  const supervisor = new Supervisor(options.clock, options.logger);
  try {
    await startParts(supervisor, layout, ports, options);
    const password = secretIn(layout.adminPassword);
    const api = await login(url, 'admin', password);
    await ensureBuiltinTarget(api);
    options.onStep?.('starting the agent');
    const node = await enrolLocalAgent({ api, url, layout, program: program(options, 'agent'), path: options.path, hostName: hostname() });
    await supervisor.add({ name: 'agent', start: () => startAgent(layout, options) });
    writeFileSync(layout.access, `${JSON.stringify({ url, user: 'admin', passwordFile: layout.adminPassword })}\n`, { mode: 0o600 });
    return { url, admin: { user: 'admin', password }, layout, api, node, stop: () => supervisor.stop().finally(() => { held.release(); leave(); }) };
  } catch (error) {
    options.logger.error('the stack did not start', { error: messageOf(error) });
    await supervisor.stop();
    held.release();
    throw error;
  }
};
