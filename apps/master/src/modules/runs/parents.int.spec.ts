import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#testing';
import { runAdministration } from '../../administration.ts';
import type { Master } from '../../application.ts';
import { TestClient, type TestStack, startStack } from '../../testing.ts';
import type { RunAnswer, RunDetailAnswer } from './http/run.dto.ts';
import { ScriptedAgent } from './scripted-agent/testing.ts';

const ends = ['succeeded', 'partial', 'failed', 'skipped', 'cancelled'];

describe('parent runs on real NATS and Postgres, two masters', () => {
  let stack: TestStack;
  let masters: Master[];
  let api: TestClient;
  let other: TestClient;
  let target: string;
  let agents: ScriptedAgent[] = [];
  const source = mkdtempSync(join(tmpdir(), 'holdfast-parents-'));

  beforeAll(async () => {
    writeFileSync(join(source, 'a'), 'hello');
    stack = await startStack();
    masters = await Promise.all([stack.master(), stack.master()]);
    api = await new TestClient(masters[0]!.url).login();
    other = await new TestClient(masters[1]!.url).login();
    target = (await api.json<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' })).id;
    agents = await Promise.all(['a', 'b', 'c'].map((name) => ScriptedAgent.enrol(api, stack, name, { site: 'x' })));
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await stack.stop();
    rmSync(source, { recursive: true });
  });

  const define = async (name: string, change: object): Promise<string> => {
    const made = await api.json<{ id: string }>('POST', '/api/v1/tasks', { name, target, source: { type: 'files', paths: [source] }, selector: { site: 'x' }, ...change });
    expect(made).toMatchObject({ id: expect.stringMatching(/^task_/) });
    return made.id;
  };
  const start = async (task: string, client = api, headers: Record<string, string> = {}): Promise<string> => {
    const made = await client.json<{ id: string; runs: string[] }>('POST', `/api/v1/tasks/${task}:run`, {}, headers);
    expect(made.runs).toEqual([made.id]);
    return made.id;
  };
  const shown = (run: string) => other.json<RunDetailAnswer>('GET', `/api/v1/runs/${run}`);
  const children = async (parent: string) => (await other.json<{ items: RunAnswer[] }>('GET', `/api/v1/runs?parent=${parent}&limit=200`)).items;
  const ended = (run: string) => waitUntil(async () => {
    const found = await shown(run);
    return ends.includes(found.status) && found;
  }, 60_000);
  const work = async ({ id, node }: RunAnswer, outcome?: 'failed', attempt = 1): Promise<void> => {
    const agent = agents.find((one) => one.node === node)!;
    const held = await agent.claim(id, 'backup', attempt);
    agent.report(id, outcome ? { attempt: held.attempt, claim: held.claim, outcome, code: 'x', detail: 'x' } : await agent.backup(held));
  };
  const counts = async (type: string, parent: string): Promise<number> => {
    const { rows } = await masters[0]!.foundation.pool.query<{ count: number }>('select count(*) as count from archive.events where type = $1 and aggregate_id = $2', [type, parent]);
    return rows[0]?.count ?? 0;
  };

  it('all: one child a node, one truthful end; a retry tries again what failed; the rows can be made anew from the events', async () => {
    const task = await define('all', { place: 'all', retries: { max: 0 } });
    expect(await api.json('GET', `/api/v1/tasks/${task}`)).toMatchObject({ nodes: [], selector: { site: 'x' }, place: 'all', offline: 'wait', waitSeconds: 86_400 });
    const parent = await start(task);
    const [one, two, three] = await waitUntil(async () => (await children(parent)).length === 3 && (await children(parent)));
    expect((await shown(parent))).toMatchObject({ status: 'running', children: { total: 3 }, selector: { site: 'x' }, place: 'all' });
    expect((await shown(parent)).node).toBeUndefined();
    expect([one, two, three].map((child) => child?.parent)).toEqual([parent, parent, parent]);
    await Promise.all([work(one!), work(two!), work(three!, 'failed')]);
    expect(await ended(parent)).toMatchObject({ status: 'partial', code: 'children-incomplete', detail: 'Of 3 run(s): 2 succeeded, 1 failed' });
    expect(await api.json('GET', `/api/v1/runs/${parent}/log`)).toMatchObject({ status: 422, code: 'run-has-no-log' });
    await other.json('POST', `/api/v1/runs/${parent}:retry`);
    await work(three!, undefined, 2);
    await waitUntil(async () => (await shown(parent)).status === 'succeeded');
    expect(await counts('ParentRunEnded', parent)).toBe(2);
    const top = await api.json<{ items: RunAnswer[] }>('GET', `/api/v1/runs?task=${task}&topLevel=true`);
    expect(top.items.map(({ id }) => id)).toEqual([parent]);
    const repositories = await api.json<{ items: { node: string; snapshots: number }[] }>('GET', '/api/v1/repositories');
    expect(repositories.items.map(({ node, snapshots }) => [node, snapshots]).sort()).toEqual(agents.map(({ node }) => [node, 1]).sort());
    const before = await shown(parent);
    await runAdministration(['projections', 'rebuild'], AbortSignal.timeout(60_000), { ...stack.variables });
    expect(await shown(parent)).toEqual(before);
  }, 120_000);

  it('the same Idempotency-Key through both masters makes one parent', async () => {
    const task = await define('keyed', { place: 'all' });
    const asked = await Promise.all([api, other].map((client) => client.call('POST', `/api/v1/tasks/${task}:run`, {}, { 'idempotency-key': 'one-start' })));
    const ids = await Promise.all(asked.filter(({ ok }) => ok).map(async (answer) => ((await answer.json()) as { id: string }).id));
    expect(new Set(ids).size).toBe(1);
    const parents = await api.json<{ items: RunAnswer[] }>('GET', `/api/v1/runs?task=${task}&topLevel=true`);
    expect(parents.items).toHaveLength(1);
    await api.json('POST', `/api/v1/runs/${ids[0]}:cancel`);
    expect(await ended(ids[0]!)).toMatchObject({ status: 'cancelled' });
    expect((await children(ids[0]!)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('any: many at once, asked of both masters, are spread over the nodes, and each is placed once', async () => {
    const tasks = await Promise.all(Array.from({ length: 6 }, (_, index) => define(`any ${index}`, { place: 'any' })));
    const parents = await Promise.all(tasks.map((task, index) => start(task, index % 2 === 0 ? api : other)));
    const placed = await waitUntil(async () => {
      const found = (await Promise.all(parents.map(children))).flat();
      return found.filter(({ status }) => status === 'dispatched' || status === 'running').length >= 6 && found;
    }, 90_000);
    for (const agent of agents) expect(placed.filter(({ node }) => node === agent.node).length).toBeLessThanOrEqual(3);
    for (const child of placed) await work(child);
    for (const parent of parents) expect(await ended(parent)).toMatchObject({ status: 'succeeded', children: { total: 1 } });
    for (const parent of parents) expect(await counts('ChildRunPlaced', parent)).toBe(1);
  }, 120_000);

  it('on 510 nodes each gets one child, though a master stops between the batches; those without an agent are skipped with their reason', async () => {
    const { pool } = masters[0]!.foundation;
    await Promise.all(Array.from({ length: 10 }, async (_, lane) => {
      for (let i = 0; i < 51; i++) await api.json('POST', '/api/v1/nodes', { name: `fleet ${lane} ${i}`, labels: { fleet: 'big' } });
    }));
    const task = await define('fleet', { place: 'all', selector: { fleet: 'big' }, offline: 'skip' });
    const parent = await start(task, other);
    await masters[1]!.stop();
    masters[1] = await stack.master();
    other = await new TestClient(masters[1].url).login();
    expect(await ended(parent)).toMatchObject({ status: 'skipped', code: 'children-skipped', detail: 'Of 510 run(s): 510 skipped', children: { total: 510, byStatus: { skipped: 510 } } });
    const { rows } = await pool.query<{ nodes: number; runs: number }>(
      "select count(distinct data->>'node') as nodes, count(*) as runs from archive.events where type = 'RunRequested' and data->>'parent' = $1", [parent]);
    expect(rows).toEqual([{ nodes: 510, runs: 510 }]);
    expect(await counts('ChildRunsStarted', parent)).toBe(3);
    expect((await children(parent))[0]).toMatchObject({ status: 'skipped', code: 'node-not-enrolled' });
  }, 120_000);

  it('contradictions are refused with the field that is wrong', async () => {
    const bad = async (change: object) => api.json('POST', '/api/v1/tasks', { name: 'bad', target, source: { type: 'files', paths: [source] }, ...change });
    expect(await bad({ selector: { site: 'x' }, nodes: [agents[0]?.node] })).toMatchObject({ code: 'invalid-request', errors: [{ field: 'selector' }] });
    expect(await bad({ nodes: [agents[0]?.node], place: 'any' })).toMatchObject({ code: 'invalid-request', errors: [{ field: 'place' }] });
    expect(await bad({ selector: {} })).toMatchObject({ code: 'task-definition-invalid', errors: [{ field: 'selector' }] });
    expect(await bad({ selector: { 'no spaces': 'x' } })).toMatchObject({ code: 'task-definition-invalid' });
    expect(await bad({ selector: { site: 'x' }, offline: 'skip', waitSeconds: 5 })).toMatchObject({ code: 'task-definition-invalid', errors: [{ field: 'waitSeconds' }] });
    expect(await bad({ selector: { site: 'x' }, place: 'some' })).toMatchObject({ status: 400 });
    const task = await define('restricted', { place: 'all' });
    expect(await api.json('POST', `/api/v1/tasks/${task}:run`, { nodes: [agents[0]?.node] })).toMatchObject({ code: 'task-chooses-nodes' });
    expect((await api.call('PATCH', `/api/v1/tasks/${task}`, { node: agents[0]?.node, offline: 'skip' })).status).toBe(204);
    const changed = await api.json<Record<string, unknown>>('GET', `/api/v1/tasks/${task}`);
    expect(changed).toMatchObject({ nodes: [agents[0]?.node], offline: 'skip' });
    expect(Object.keys(changed)).not.toEqual(expect.arrayContaining(['selector']));
  });
});
