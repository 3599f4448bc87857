import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type SelfAnswer, type SignedMessage, type UpgradeReport, subjects } from '#contracts';
import { inboxPrefixOf, newAgeKey, newNkey } from '#identity';
import { rfc3339, silentLogger, systemClock } from '#kernel';
import { connectBus } from '#messaging';
import { removeTempDir, tempDir, waitUntil } from '#testing';
import type { Master } from './application.ts';
import { TestClient, type TestStack, startStack } from './testing.ts';

interface NodeShown {
  readonly presence: string;
  readonly drained: boolean;
  readonly disabled: boolean;
  readonly version?: string;
  readonly host?: Readonly<Record<string, unknown>>;
  readonly heartbeat?: Readonly<Record<string, unknown>>;
  readonly upgrade?: Readonly<Record<string, unknown>>;
  readonly alarms: readonly { readonly code: string; readonly detail: string }[];
}

let stack: TestStack;
let api: TestClient;
let master: Master;
let agents: string;
let count = 0;
const sum = 'a'.repeat(64);

beforeAll(async () => {
  stack = await startStack();
  agents = await tempDir('agents');
  for (const [folder, version] of [[agents, '0.1.0'], [join(agents, '0.1.1'), '0.1.1'], [join(agents, '0.1.2'), '0.1.2']] as const) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'holdfast-agent-linux-amd64'), 'the agent');
    // What agents fetch is the compressed file: 0.1.2 cannot be ordered without.
    if (version !== '0.1.2') writeFileSync(join(folder, 'holdfast-agent-linux-amd64.zst'), 'the agent, compressed');
    writeFileSync(join(folder, 'holdfast-agent-linux-amd64.version'), `${version}\n`);
    writeFileSync(join(folder, 'holdfast-agent-linux-amd64.sha256'), `${sum}  holdfast-agent-linux-amd64\n`);
  }
  const variables = { HOLDFAST_AGENT_DIR: agents, HOLDFAST_HEARTBEAT_SECONDS: '1', HOLDFAST_OFFLINE_AFTER_SECONDS: '4', HOLDFAST_CLOCK_SKEW_SECONDS: '30' };
  master = await stack.master({ variables });
  api = await new TestClient(master.url).login();
});
afterAll(async () => {
  await stack.stop();
  removeTempDir(agents);
});

/** An agent as far as the masters can tell: a credential, heartbeats, and the question who it is. */
class StandIn {
  version = '0.1.0';
  aheadMs = 0;
  private constructor(readonly node: string, private readonly bus: NatsConnection, readonly instance: string) {}

  static async enrol(node: string, name: string, host: object = {}): Promise<StandIn> {
    const key = newNkey('user');
    const { token } = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    const said = { hostname: name, platform: 'linux', arch: 'x64', agentVersion: '0.1.0', ...host };
    const { jwt } = await api.json<{ jwt: string }>('POST', '/api/v1/enrol', { token, publicKey: key.publicKey, recipient: (await newAgeKey()).recipient, host: said });
    const bus = await connectBus({
      urls: [stack.nats.url], name: node, inboxPrefix: inboxPrefixOf(node), credential: { jwt: () => jwt, seed: key.seed }, clock: systemClock, log: silentLogger,
      signal: AbortSignal.timeout(10_000),
    });
    return new StandIn(node, bus, `instance_${++count}`);
  }

  beat(more: object = {}): void {
    const now = systemClock.now() + this.aheadMs;
    this.bus.publish(subjects.heartbeat(this.node), JSON.stringify({
      key: this.node, hostname: 'db1.test', ip: '10.0.0.1', mac: '00:00:00:00:00:00', master: 'm', version: this.version, protocol: 1, instance: this.instance,
      update_ts: rfc3339(now), update_ts_unix: Math.floor(now / 1000), load: 0.5, slots: 1, running: 0, ...more,
    }));
  }

  async self(upgrade?: UpgradeReport, host?: object): Promise<SelfAnswer> {
    const ask = { id: `ask_${++count}`, instance: this.instance, version: this.version, hostname: 'db1.test', ...(upgrade ? { upgrade } : {}), ...(host ? { host } : {}) };
    const reply = await this.bus.request(subjects.ask(this.node, 'self'), JSON.stringify(ask), { timeout: 5000 });
    const answer = JSON.parse(reply.json<SignedMessage>().payload) as Answer<SelfAnswer>;
    if (answer.status !== 'ok') throw new Error(answer.code);
    return answer.value;
  }

  close(): Promise<void> {
    return this.bus.close();
  }
}

const shown = (node: string) => api.json<NodeShown>('GET', `/api/v1/nodes/${node}`);
const codes = async (node: string) => (await shown(node)).alarms.map(({ code }) => code);
const addNode = async (name: string, labels = {}): Promise<string> => (await api.json<{ id: string }>('POST', '/api/v1/nodes', { name, labels })).id;
const eventually = (check: () => Promise<unknown>) => waitUntil(async () => { await check(); return true; });
const online = async (agent: StandIn): Promise<void> => {
  agent.beat();
  await eventually(async () => expect(await shown(agent.node)).toMatchObject({ presence: 'online', version: agent.version }));
};
const presenceEvents = async (node: string): Promise<string[]> => {
  const { rows } = await master.foundation.pool.query<{ type: string }>("select type from archive.events where aggregate_type = 'presence' and aggregate_id = $1", [node]);
  return rows.map(({ type }) => type);
};
const fleet = async () => (await api.json<{ fleet: Record<string, number> }>('GET', '/api/status')).fleet;

describe('the life of a node', () => {
  it('shows its host when it enrols, what is new of it at every word, and its load with every heartbeat', async () => {
    const node = await addNode('facts');
    const agent = await StandIn.enrol(node, 'before', { os: 'Debian GNU/Linux 12', kernel: '6.1.0', cpus: 4, memory: 8_000_000_000, installMode: 'systemd' });
    expect((await shown(node)).host).toMatchObject({ hostname: 'before', os: 'Debian GNU/Linux 12', kernel: '6.1.0', cpus: 4, memory: 8_000_000_000, installMode: 'systemd' });
    await agent.self(undefined, { hostname: 'after', platform: 'linux', arch: 'x64', agentVersion: '0.1.0', kernel: '6.2.0', installMode: 'systemd' });
    expect((await shown(node)).host).toMatchObject({ hostname: 'after', kernel: '6.2.0' });
    agent.beat({ memory_free: 1000, memory_total: 2000, cpu_percent: 12.5, disk_free: 300, disk_total: 400 });
    await eventually(async () => expect((await shown(node)).heartbeat).toMatchObject({ memoryFree: 1000, memoryTotal: 2000, cpuPercent: 12.5, diskFree: 300, diskTotal: 400 }));
    await agent.close();
  });

  it('tells agents how often to beat, doubts one at the moment its connection ends, and judges its silence by the settings', async () => {
    const node = await addNode('silent');
    const agent = await StandIn.enrol(node, 'silent');
    expect((await agent.self()).heartbeatSeconds).toBe(1);
    await online(agent);
    const from = systemClock.monotonic();
    await eventually(async () => expect(await shown(node)).toMatchObject({ presence: 'offline', presenceReason: 'no heartbeat for 4 s' }));
    expect(systemClock.monotonic() - from).toBeLessThan(20_000);
    await online(agent);
    expect(await presenceEvents(node)).not.toContain('NodeSuspected');
    await agent.close();
    // Silence makes no doubt, only an end: the doubt is the disconnect's.
    await eventually(async () => expect(await presenceEvents(node)).toContain('NodeSuspected'));
  });

  it('is removed when its agent is gone, and not before; its name is free again', async () => {
    const node = await addNode('leaving');
    const agent = await StandIn.enrol(node, 'leaving');
    await online(agent);
    expect(await api.json('DELETE', `/api/v1/nodes/${node}`)).toMatchObject({ status: 409, code: 'node-online' });
    await agent.close();
    await eventually(async () => expect((await shown(node)).presence).toBe('offline'));
    expect((await api.call('DELETE', `/api/v1/nodes/${node}`)).status).toBe(204);
    expect(await addNode('leaving')).not.toBe(node);
  });

  it('is taken out of service and put back; while it is out, nothing about it is an alarm', async () => {
    const node = await addNode('spare');
    const agent = await StandIn.enrol(node, 'spare');
    agent.version = '0.0.1';
    await online(agent);
    await eventually(async () => expect(await codes(node)).toEqual(['agent-too-old']));
    expect((await api.call('POST', `/api/v1/nodes/${node}:disable`, { reason: 'sold' })).status).toBe(204);
    expect(await shown(node)).toMatchObject({ disabled: true, disabledReason: 'sold', alarms: [] });
    expect((await fleet())['disabled']).toBe(1);
    expect((await api.call('POST', `/api/v1/nodes/${node}:enable`, {})).status).toBe(204);
    await eventually(async () => expect(await codes(node)).toEqual(['agent-too-old']));
    agent.version = '0.1.0';
    await online(agent);
    await agent.close();
  });

  it('is an alarm when its clock is off, and none when it is right again', async () => {
    const node = await addNode('skewed');
    const agent = await StandIn.enrol(node, 'skewed');
    agent.aheadMs = 600_000;
    await online(agent);
    await eventually(async () => expect(await codes(node)).toEqual(['clock-skewed']));
    expect((await shown(node)).alarms[0]?.detail).toMatch(/10 min ahead/);
    expect((await fleet())['clockSkewed']).toBe(1);
    agent.aheadMs = 0;
    agent.beat();
    await eventually(async () => expect(await codes(node)).toEqual([]));
    await agent.close();
  });
});

describe('the window of versions', () => {
  it('tells an agent outside by name, shows it, and lets it in again when its version is another', async () => {
    const node = await addNode('old');
    const agent = await StandIn.enrol(node, 'old');
    agent.version = '0.0.9';
    await online(agent);
    expect((await agent.self()).gate).toMatchObject({ code: 'agent-too-old' });
    await eventually(async () => expect(await codes(node)).toEqual(['agent-too-old']));
    await eventually(async () => expect((await fleet())['outsideVersions']).toBe(1));
    expect(await (await api.call('GET', '/metrics')).text()).toMatch(/holdfast_node_alarms\{alarm="outsideVersions"\} 1/);
    // No new connection: the version alone is news.
    agent.version = '0.1.7';
    await online(agent);
    expect((await agent.self()).gate).toBeUndefined();
    await eventually(async () => expect(await codes(node)).toEqual([]));
    agent.version = '0.2.0';
    expect((await agent.self()).gate).toMatchObject({ code: 'agent-too-new' });
    await agent.close();
  });
});

describe('orders to upgrade', () => {
  it('reach the agent with every word it speaks, until it has said what became of them', async () => {
    const node = await addNode('upgrading');
    const agent = await StandIn.enrol(node, 'upgrading', { installMode: 'systemd' });
    await online(agent);
    expect(await api.json('POST', `/api/v1/nodes/${node}:upgrade`, { version: '0.1.1' })).toMatchObject({ outcome: 'ordered', version: '0.1.1', from: '0.1.0' });
    const { upgrade } = await agent.self();
    expect(upgrade).toMatchObject({ version: '0.1.1', sha256: sum, size: 9 });
    const id = upgrade?.id ?? '';
    expect((await agent.self({ id, stage: 'fetching' })).upgrade).toEqual(upgrade);
    expect((await shown(node)).upgrade).toMatchObject({ status: 'ordered', stage: 'fetching' });
    agent.version = '0.1.1';
    expect((await agent.self({ id, stage: 'trying' })).upgrade).toEqual(upgrade);
    expect((await agent.self({ id, stage: 'confirmed' })).upgrade).toBeUndefined();
    await eventually(async () => expect((await shown(node)).upgrade).toMatchObject({ status: 'done', from: '0.1.0' }));
    await agent.close();
  });

  it('end as failed when the agent went back, with its reason, and are an alarm', async () => {
    const node = await addNode('failing');
    const agent = await StandIn.enrol(node, 'failing', { installMode: 'systemd' });
    await online(agent);
    await api.json('POST', `/api/v1/nodes/${node}:upgrade`, { version: '0.1.1' });
    const id = (await agent.self()).upgrade?.id ?? '';
    expect((await agent.self({ id, stage: 'failed', code: 'upgrade-not-online', detail: 'It was not online' })).upgrade).toBeUndefined();
    await eventually(async () => expect((await shown(node)).upgrade).toMatchObject({ status: 'failed', code: 'upgrade-not-online' }));
    expect(await codes(node)).toEqual(['upgrade-failed']);
    const audit = await api.json<{ items: { type: string; actor: string }[] }>('GET', '/api/v1/audit?limit=20');
    expect(audit.items.find(({ type }) => type === 'NodeUpgradeFailed')).toMatchObject({ actor: `node:${node}` });
    await agent.close();
  });

  it('are given to many at once, and each that is refused says why', async () => {
    const [plain, contained, empty] = [await addNode('many 1', { site: 'a' }), await addNode('many 2', { site: 'a' }), await addNode('many 3', { site: 'a' })];
    const made = [await StandIn.enrol(plain, 'plain', { installMode: 'foreground' }), await StandIn.enrol(contained, 'contained', { installMode: 'docker' })];
    const order = (body: object) => api.json<{ items: { name: string; outcome: string; code?: string }[] }>('POST', '/api/v1/nodes:upgrade', body);
    const byLabel = await order({ labels: { site: 'a' }, version: '0.1.1' });
    expect(byLabel.items).toMatchObject([{ name: 'many 1', outcome: 'ordered' }, { name: 'many 2', outcome: 'refused', code: 'upgraded-otherwise' }]);
    expect((await order({ nodes: [plain, empty], version: '0.1.1' })).items).toMatchObject([{ outcome: 'ordered' }, { outcome: 'refused', code: 'node-not-enrolled' }]);
    expect((await order({ nodes: [plain], version: '0.1.2' })).items).toMatchObject([{ outcome: 'refused', code: 'agent-build-missing', detail: expect.stringContaining('linux-amd64.zst') as string }]);
    expect((await order({ all: true, version: '0.9.9' })).items.every(({ code }) => code === 'agent-build-missing' || code === 'upgraded-otherwise')).toBe(true);
    expect(await api.json('POST', '/api/v1/nodes:upgrade', {})).toMatchObject({ status: 400 });
    expect(await api.json('POST', '/api/v1/nodes:upgrade', { all: true, nodes: [plain] })).toMatchObject({ status: 400 });
    for (const agent of made) await agent.close();
  });
});
