import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JetStreamManager, type NatsConnection } from 'nats';
import { streams, subjects } from '#contracts';
import { nkeyFromSeed } from '#identity';
import { type TestOperatorNats, type TestPostgres, freePort, removeTempDir, startNats, startPostgres, tempDir, waitUntil } from '#testing';
import { root } from '../support/embedded-stack.ts';
import { LoneMaster } from '../support/lone-master.ts';
import { BusSpeaker, type NodeAccess, accessIn } from '../support/thief.ts';
import { Wire } from '../support/wire.ts';

interface Credential {
  readonly publicKey: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly rotation?: string;
  readonly rotationRequestedAt?: string;
  readonly replaces?: string;
  readonly graceUntil?: string;
}

const program = join(root, 'node_modules', '.bin', 'node');
const agentProgram = join(root, 'dist', 'apps', 'agent', 'src', 'main.js');
let dir: string;
let nats: TestOperatorNats;
let postgres: TestPostgres;
let wire: Wire;
let master: LoneMaster;
let agent: ChildProcess | undefined;
let node: string;
/** Looks at the log while no master lives. */
let bus: NatsConnection;
let look: JetStreamManager;

const state = (): string => join(dir, 'agent');
const held = (): NodeAccess => accessIn(state());
const publicKeyOf = ({ seed }: NodeAccess): string => nkeyFromSeed('user', seed).publicKey;
const credentials = async (): Promise<Credential[]> => (await master.call<{ items: Credential[] }>('GET', `/api/v1/nodes/${node}/credentials`)).items;
const isOnline = async (): Promise<boolean> => (await master.call<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence === 'online';
const settled = async (): Promise<boolean> => (await credentials()).every(({ rotation }) => rotation === undefined);
const rotate = (graceSeconds: number): Promise<unknown> => master.call('POST', `/api/v1/nodes/${node}/credential:rotate`, { graceSeconds });
const opens = async (access: NodeAccess): Promise<void> => {
  const speaker = await BusSpeaker.connect(access);
  await speaker.connection.close();
};
const isRefused = (access: NodeAccess): Promise<boolean> => opens(access).then(() => false, (error: { code?: string }) => error.code === 'AUTHORIZATION_VIOLATION');

/** What the log holds of credentials, in its order. */
const history = async (): Promise<string[]> => {
  const { state: { first_seq: first, last_seq: last } } = await look.streams.info(streams.events);
  const types: string[] = [];
  for (let seq = first; seq <= last; seq++) {
    const { subject, header } = await look.streams.getMessage(streams.events, { seq });
    if (subject.startsWith(subjects.event('credential', ''))) types.push(header.get('Hf-Type'));
  }
  return types;
};
const recorded = (type: string, times: number) => async (): Promise<boolean> => (await history()).filter((one) => one === type).length === times;
const ordersSent = async (): Promise<number> => (await look.streams.info(streams.commands)).state.last_seq;

interface Moment {
  /** What the master sends. */
  readonly words: string;
  /** True once they have arrived and been acted upon; without it they are kept from arriving. */
  readonly effect?: () => Promise<boolean>;
}

/** Kills the master when it has sent this, and does not know what became of it. */
const diesAt = async ({ words, effect }: Moment, begin: () => Promise<unknown>): Promise<void> => {
  const reached = wire.stopAt(effect ? 'after' : 'before', words);
  const began = begin().then(() => undefined, () => undefined);
  await reached;
  if (effect) await waitUntil(effect, 60_000);
  await master.kill();
  await began;
  wire.renew();
};
const start = (): Promise<void> => Promise.resolve(master.start());
const restart = async (): Promise<void> => {
  master.start();
  await master.served();
};
const event = (type: string): string => `Hf-Type: ${type}`;
/** The event is in the log. */
const appended = (type: string, times: number): Moment => ({ words: event(type), effect: recorded(type, times) });

beforeAll(async () => {
  dir = await tempDir('killed-rotation');
  [nats, postgres] = await Promise.all([startNats({ operatorMode: true }), startPostgres()]);
  wire = await Wire.to(nats.port);
  bus = await nats.connectMaster();
  look = await bus.jetstreamManager();
  master = new LoneMaster({
    HOLDFAST_NATS_URL: `nats://127.0.0.1:${wire.port}`, HOLDFAST_AGENT_NATS_URL: nats.url, HOLDFAST_POSTGRES_URL: postgres.url, HOLDFAST_KEYS_DIR: nats.keysDir, HOLDFAST_DATA_DIR: dir,
  }, await freePort(), join(dir, 'master.log'));
  await restart();
  node = (await master.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'rotating' })).id;
  const { token } = await master.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
  const env = { PATH: process.env['PATH'], HOLDFAST_STATE_DIR: state(), HOLDFAST_ENROL_TOKEN: token };
  await promisify(execFile)(program, [agentProgram, 'enrol', '--master', master.url, '--state', state()], { env });
  const log = openSync(join(dir, 'agent.log'), 'a');
  agent = spawn(program, [agentProgram], { stdio: ['ignore', log, log], env: { PATH: env.PATH, HOLDFAST_STATE_DIR: state() } });
  closeSync(log);
  await waitUntil(isOnline, 60_000);
}, 120_000);
afterAll(async () => {
  const agentEnded = agent && agent.exitCode === null ? once(agent, 'exit') : undefined;
  agent?.kill('SIGKILL');
  await agentEnded;
  await master?.kill();
  wire?.close();
  await bus?.close();
  await Promise.all([nats?.stop(), postgres?.stop()]);
  removeTempDir(dir);
}, 60_000);

it('a rotation ends once, with its grace, though the only master is killed after each thing that it sends for it', async () => {
  const old = held();
  const [issued] = await credentials();
  await diesAt(appended('CredentialRotationRequested', 1), () => rotate(3600));
  const sent = await ordersSent();
  await diesAt({ words: ` ${subjects.command(node, 'rotate')} `, effect: async () => (await ordersSent()) > sent }, start);
  // The old key's end and the new one's beginning are one batch: cut off in its middle, neither has been.
  await diesAt({ words: event('CredentialIssued') }, start);
  expect(await history()).toEqual(['CredentialIssued', 'CredentialRotationRequested']);
  await diesAt(appended('CredentialIssued', 2), start);
  await opens(old);
  await diesAt(appended('CredentialTakenUp', 1), start);

  await restart();
  await waitUntil(settled);
  const fresh = held();
  const [second, first] = await credentials();
  expect(publicKeyOf(fresh)).not.toBe(publicKeyOf(old));
  expect(second).toMatchObject({ publicKey: publicKeyOf(fresh), status: 'issued', replaces: publicKeyOf(old) });
  expect(first).toEqual({ ...issued, status: 'rotated', successor: publicKeyOf(fresh), graceUntil: expect.any(String) as string });
  for (const one of [old, fresh]) await opens(one);
  expect(await history()).toEqual(['CredentialIssued', 'CredentialRotationRequested', 'CredentialRotated', 'CredentialIssued', 'CredentialTakenUp']);
});

it('an old key works until the servers are told that its grace is over, and never after, though the only master is killed before and after it tells them', async () => {
  const [earlier] = (await credentials()).slice(-1);
  const old = held();
  await waitUntil(isOnline, 60_000);
  await diesAt(appended('CredentialRevoked', 1), () => rotate(1));
  await opens(old);
  await diesAt({ words: '$SYS.REQ.CLAIMS.UPDATE', effect: () => isRefused(old) }, start);

  await restart();
  await waitUntil(async () => (await settled()) && (await isOnline()), 60_000);
  const fresh = held();
  const [third, second, first] = await credentials();
  expect(third).toMatchObject({ publicKey: publicKeyOf(fresh), status: 'issued', replaces: publicKeyOf(old) });
  expect(second).toMatchObject({ publicKey: publicKeyOf(old), status: 'revoked', successor: publicKeyOf(fresh) });
  expect(first).toEqual(earlier);
  expect(await isRefused(old)).toBe(true);
  await opens(fresh);
  expect((await history()).slice(5).sort()).toEqual(['CredentialIssued', 'CredentialRevoked', 'CredentialRotated', 'CredentialRotationRequested', 'CredentialTakenUp']);
});
