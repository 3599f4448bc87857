import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAgeKey } from '#identity';
import { identityKeys, packNames, runRestore } from '#repository';
import { fsStore } from '#storage';
import { tempDir, waitUntil } from '#testing';
import type { Master } from '../../application.ts';
import { TestClient, type TestStack, startStack } from '../../testing.ts';
import { type RunDetailAnswer } from './http/run.dto.ts';
import { type Made, ScriptedAgent, dataKeys } from './scripted-agent/testing.ts';

describe('runs on real NATS and Postgres, two masters', () => {
  let stack: TestStack;
  let api: TestClient;
  let other: TestClient;
  let masters: Master[];
  let agent: ScriptedAgent;
  let target: string;

  beforeAll(async () => {
    stack = await startStack();
    masters = await Promise.all([stack.master(), stack.master()]);
    api = await new TestClient(masters[0]!.url).login();
    other = await new TestClient(masters[1]!.url).login();
    agent = await ScriptedAgent.enrol(api, stack, 'db1');
    target = (await api.json<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' })).id;
  });
  afterAll(async () => {
    await agent?.close();
    await stack.stop();
  });

  const define = async (name: string, change: object = {}): Promise<string> => {
    const made = await api.json<{ id: string }>('POST', '/api/v1/tasks', { name, nodes: [agent.node], target, source: { type: 'files', paths: ['/srv'] }, ...change });
    expect(made).toMatchObject({ id: expect.stringMatching(/^task_/) });
    return made.id;
  };
  const start = async (task: string): Promise<string> => (await api.json<{ id: string }>('POST', `/api/v1/tasks/${task}:run`)).id;
  const shown = (run: string) => other.json<RunDetailAnswer>('GET', `/api/v1/runs/${run}`);
  const until = (run: string, status: string) => waitUntil(async () => {
    const found = await shown(run);
    return found.status === status && found;
  }, 90_000);

  it('a task is started, worked on over grants, admitted, recorded, browsed, verified, restored and pruned', async () => {
    const source = join(await tempDir('source'), 'data');
    await mkdir(join(source, 'deep'), { recursive: true });
    await writeFile(join(source, 'deep', 'a.bin'), randomBytes(300_000));
    await writeFile(join(source, 'b.txt'), 'hello');
    const task = await define('whole', { source: { type: 'files', paths: [source] }, retention: { keepLast: 1 } });
    const run = await start(task);
    const held = await agent.claim(run);
    expect(held.specification).toMatchObject({ kind: 'backup', taskName: 'whole', source: { paths: [source] }, repository: { target, generation: 0 } });
    await until(run, 'running');
    expect(await agent.stored(held)).toEqual({ generation: 0, ids: [] });
    agent.log(run, 'began');
    const firstMade = await agent.backup(held);
    agent.report(run, firstMade);
    const done = await until(run, 'succeeded');
    expect(done).toMatchObject({ snapshot: held.snapshot, statistics: { files: 2 }, attempts: [{ attempt: 1, status: 'succeeded' }] });
    const log = await other.json<{ position: number }>('GET', `/api/v1/runs/${run}/log`);
    expect(log).toMatchObject({ lines: [{ attempt: 1, n: 1, text: 'began' }], more: false });
    expect(await other.json('GET', `/api/v1/runs/${run}/log?after=${log.position}`)).toMatchObject({ lines: [], position: log.position });
    const snapshots = await other.json<{ items: object[] }>('GET', `/api/v1/snapshots?node=${agent.node}`);
    expect(snapshots.items).toMatchObject([{ id: held.snapshot, run, files: 2, bytes: 300_005 }]);
    const repositories = await other.json<{ items: { id: string }[] }>('GET', '/api/v1/repositories');
    expect(repositories.items).toMatchObject([{ node: agent.node, target, snapshots: 1, leases: [], repositoryId: expect.stringMatching(/^[0-9a-f]{32}$/) }]);

    const entries = await other.json<{ items: object[] }>('GET', `/api/v1/snapshots/${held.snapshot}/entries?path=${encodeURIComponent(source)}`);
    expect(entries.items).toMatchObject([{ name: 'b.txt', type: 'file', size: 5 }, { name: 'deep', type: 'directory' }]);

    const way = await other.json<{ items: object[] }>('GET', `/api/v1/snapshots/${held.snapshot}/entries?path=/`);
    expect(way.items).toMatchObject([{ path: `/${source.split('/')[1]}`, name: source.split('/')[1], type: 'directory', size: 0 }]);
    const [one] = (await other.json<{ items: object[]; nextCursor: string }>('GET', `/api/v1/snapshots/${held.snapshot}/entries?path=${encodeURIComponent(source)}&limit=1`)).items;
    expect(one).toMatchObject({ name: 'b.txt' });
    expect(await other.json('GET', `/api/v1/snapshots/${held.snapshot}/entries?path=${encodeURIComponent(`${source}/../x`)}`)).toMatchObject({ status: 404, code: 'directory-not-found' });

    const verify = (await api.json<{ id: string }>('POST', `/api/v1/snapshots/${held.snapshot}:verify`, { level: '3' })).id;
    await until(verify, 'succeeded');
    expect(await other.json('GET', `/api/v1/snapshots/${held.snapshot}`)).toMatchObject({ verified: { level: '3', outcome: 'intact' } });

    const destination = join(await tempDir('restored'), 'out');
    const restore = (await api.json<{ id: string }>('POST', `/api/v1/snapshots/${held.snapshot}:restore`, { destination, mode: 'always' })).id;
    agent.report(restore, await agent.restore(await agent.claim(restore, 'restore')));
    await until(restore, 'succeeded');
    expect(await readFile(join(destination, source, 'deep', 'a.bin'))).toEqual(await readFile(join(source, 'deep', 'a.bin')));

    await rm(join(source, 'deep'), { recursive: true });
    const second = await start(task);
    const again = await agent.claim(second);
    const stored = await agent.stored(again);
    expect(stored.ids.length).toBeGreaterThanOrEqual(3);
    expect(await agent.stored(again)).toEqual(stored);
    const secondMade = await agent.backup(again);
    agent.report(second, secondMade);
    await until(second, 'succeeded');
    const older = (await api.json<{ id: string }>('POST', `/api/v1/snapshots/${held.snapshot}:restore`, { destination: join(destination, '2'), mode: 'always' })).id;
    const claimed = await agent.claim(older, 'restore');
    const handed = await agent.handed(claimed);
    expect(handed).toEqual(expect.arrayContaining(dataKeys(firstMade)));
    expect(handed.filter((id) => dataKeys(secondMade).includes(id))).toEqual([]);
    await api.json('POST', `/api/v1/runs/${older}:cancel`);
    agent.report(older, { attempt: claimed.attempt, claim: claimed.claim, outcome: 'cancelled' });
    await until(older, 'cancelled');
    const prune = (await api.json<{ id: string }>('POST', `/api/v1/repositories/${repositories.items[0]!.id}:prune`, {})).id;
    await until(prune, 'succeeded');
    const left = await waitUntil(async () => {
      const found = await other.json<{ items: { id: string }[] }>('GET', `/api/v1/snapshots?node=${agent.node}`);
      return found.items.length === 1 && found;
    });
    expect(left.items).toMatchObject([{ id: again.snapshot }]);
    const third = (await api.json<{ id: string }>('POST', `/api/v1/snapshots/${again.snapshot}:verify`, { level: '3' })).id;
    await until(third, 'succeeded');
    expect(await other.json('GET', `/api/v1/repositories/${repositories.items[0]!.id}`)).toMatchObject({
      generation: 1, snapshots: 1, leases: [], storedBytes: expect.any(Number), livePlainBytes: expect.any(Number), keptPlainBytes: expect.any(Number), compactableBytes: expect.any(Number),
    });
  }, 300_000);

  it('a recovery identity and the objects restore everything, what was made before it was added too', async () => {
    const { identity, recipient } = await newAgeKey();
    const source = join(await tempDir('source'), 'data');
    await mkdir(source);
    await writeFile(join(source, 'a.bin'), randomBytes(50_000));
    const task = await define('recovered', { source: { type: 'files', paths: [source] } });
    const back = async (): Promise<string> => {
      const run = await start(task);
      const { proposal, ...made } = await agent.backup(await agent.claim(run));
      agent.report(run, { ...made, proposal });
      await until(run, 'succeeded');
      return proposal.object.name;
    };
    const before = await back();
    expect(await api.json('POST', '/api/v1/recipients', { class: 'data', recipient: identity })).toMatchObject({ status: 400, code: 'invalid-recipient' });
    expect(await api.json('POST', '/api/v1/recipients', { class: 'data', recipient })).toMatchObject({ class: 'data', recipient });
    await api.json('POST', '/api/v1/recipients', { class: 'data', recipient });
    expect(await other.json('GET', '/api/v1/recipients')).toEqual({ items: [{ class: 'data', recipient }] });
    await waitUntil(async () => (await other.json<{ items: object[] }>('GET', '/api/v1/audit?type=RecipientAdded')).items.length > 0);
    const after = await back();
    const store = fsStore(join(stack.variables['HOLDFAST_DATA_DIR']!, 'targets', target, agent.node));
    for (const snapshotObject of [before, after]) {
      const destination = join(await tempDir('recovered'), 'out');
      const restored = await runRestore({ reader: store, keys: identityKeys(store, [identity]), snapshotObject, packs: packNames(store), destination, mode: 'always' });
      expect(restored.outcome).toBe('succeeded');
      expect(await readFile(join(destination, source, 'a.bin'))).toEqual(await readFile(join(source, 'a.bin')));
    }
  });

  it('a lost cache does not mean a full upload', async () => {
    const source = await tempDir('source');
    await writeFile(join(source, 'large.bin'), randomBytes(3_000_000));
    const task = await define('cacheless', { source: { type: 'files', paths: [source] } });
    const back = async (known: boolean): Promise<Made> => {
      const run = await start(task);
      const held = await agent.claim(run);
      const { ids } = await agent.stored(held);
      const imported = (async function* () { for (const id of ids) yield Buffer.from(id, 'hex'); })();
      const made = await agent.backup(held, known ? imported : undefined);
      agent.report(run, made);
      await until(run, 'succeeded');
      return made;
    };
    expect((await back(false)).statistics.storedBytes).toBeGreaterThan(3_000_000);
    await agent.loseCache();
    expect((await back(true)).statistics.storedBytes).toBeLessThan(300_000);
  });

  it('an agent that lost its id key gets it back, before the first snapshot too', async () => {
    const disk = (await api.json<{ id: string }>('POST', '/api/v1/targets', { name: 'second disk', kind: 'builtin' })).id;
    const task = await define('begun', { target: disk });
    const run = await start(task);
    const held = await agent.claim(run);
    expect(await agent.idKey(held)).toBeUndefined();
    const begun = await agent.begin(held);
    await agent.leaveIdKey(held);
    expect(await agent.idKey(held)).toBe(begun);
    await expect(agent.begin(held)).rejects.toMatchObject({ code: 'repository-exists' });
    await api.json('POST', `/api/v1/runs/${run}:cancel`);
    agent.report(run, { attempt: held.attempt, claim: held.claim, outcome: 'cancelled' });
    await until(run, 'cancelled');
    const made = await start(await define('made', { source: { type: 'files', paths: [await tempDir('source')] } }));
    const again = await agent.claim(made);
    const { proposal, ...rest } = await agent.backup(again);
    expect(await agent.idKey(again)).toBe(proposal.idKeyId);
    agent.report(made, { ...rest, proposal });
    await until(made, 'succeeded');
  });

  it('a report that names an object the target does not hold makes the run fail', async () => {
    const run = await start(await define('lying', { retries: { max: 0 } }));
    const held = await agent.claim(run);
    const proposal = { id: held.snapshot, object: { name: `snapshots/${held.snapshot}/${'a'.repeat(64)}`, size: 1 }, repositoryId: 'a'.repeat(32), idKeyId: 'b'.repeat(32), keys: [], packs: [] };
    agent.report(run, { attempt: held.attempt, claim: held.claim, outcome: 'succeeded', proposal });
    expect(await until(run, 'failed')).toMatchObject({ code: expect.stringMatching(/^(object|key|snapshot)-/) });
  });

  it('a run at work is cancelled when its agent confirms', async () => {
    const run = await start(await define('cancelled'));
    const held = await agent.claim(run);
    expect(await api.json('POST', `/api/v1/runs/${run}:cancel`)).toMatchObject({ id: run, status: 'cancel-requested' });
    expect(await agent.command(run, 'stop')).toMatchObject({ attempt: held.attempt });
    agent.report(run, { attempt: held.attempt, claim: held.claim, outcome: 'cancelled' });
    await until(run, 'cancelled');
    expect(await api.json('POST', `/api/v1/runs/${run}:cancel`)).toMatchObject({ status: 'cancelled' });
  });

  it('a claim of an attempt that was cancelled meanwhile is stale', async () => {
    const run = await start(await define('stale'));
    const { attempt } = await agent.command(run, 'backup');
    await api.json('POST', `/api/v1/runs/${run}:cancel`);
    expect(await agent.ask('claim', { run, attempt, instance: agent.instance })).toMatchObject({ status: 'stale', code: 'claim-stale' });
  });

  it('a second start of a task at work is refused, and a name is taken once whatever its case', async () => {
    const task = await define('twice');
    const run = await start(task);
    expect(await other.json('POST', `/api/v1/tasks/${task}:run`)).toMatchObject({ status: 409, code: 'task-running' });
    expect(await other.json('POST', '/api/v1/tasks', { name: 'TWICE', nodes: [agent.node], target, source: { type: 'files', paths: ['/srv'] } })).toMatchObject({ status: 409, code: 'name-taken' });
    await api.json('POST', `/api/v1/runs/${run}:cancel`);
  });

  it('a task is changed, paused, resumed, previewed and deleted over REST', async () => {
    const task = await define('edited', { schedule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' } });
    const before = await api.call('GET', `/api/v1/tasks/${task}`);
    expect(before.headers.get('etag')).toBe('"1"');
    expect(await before.json()).toMatchObject({ status: 'active', node: agent.node, schedule: { misfire: 'run-once' }, retention: {}, timeoutSeconds: 86_400 });
    expect((await api.call('PATCH', `/api/v1/tasks/${task}`, { retention: { keepLast: 2 } }, { 'if-match': '"1"' })).status).toBe(204);
    expect(await api.json('PATCH', `/api/v1/tasks/${task}`, { name: 'x' }, { 'if-match': '"1"' })).toMatchObject({ status: 412, code: 'stale-revision' });
    expect(await other.json('GET', `/api/v1/tasks/${task}`)).toMatchObject({ revision: 2, retention: { keepLast: 2 } });
    expect((await api.call('POST', `/api/v1/tasks/${task}:pause`)).status).toBe(204);
    expect(await other.json('GET', `/api/v1/tasks/${task}`)).toMatchObject({ status: 'paused' });
    expect((await api.call('POST', `/api/v1/tasks/${task}:resume`)).status).toBe(204);
    const preview = await api.json<{ instants: string[] }>('POST', `/api/v1/tasks/${task}:preview`, { instants: 3 });
    expect(preview.instants).toHaveLength(3);
    expect((await api.call('DELETE', `/api/v1/tasks/${task}`)).status).toBe(204);
    expect(await other.json('GET', `/api/v1/tasks/${task}`)).toMatchObject({ status: 404, code: 'task-not-found' });
    await define('edited');
  });

  it('faulty requests name the field and what to do', async () => {
    expect(await api.json('POST', '/api/v1/tasks', { name: '', nodes: ['x'], target, source: { type: 'files', paths: ['srv'] }, extra: 1 })).toMatchObject({ status: 400, code: 'invalid-request' });
    const wrong = { name: 'cron', nodes: [agent.node], target, source: { type: 'files', paths: ['/srv'] }, schedule: { cron: 'nonsense' } };
    expect(await api.json('POST', '/api/v1/tasks', wrong)).toMatchObject({ status: 400, code: 'schedule-invalid' });
    expect(await api.json('POST', '/api/v1/tasks', { ...wrong, schedule: undefined, target: `target_${'0'.repeat(20)}` })).toMatchObject({ status: 422, code: 'target-unknown' });
    expect(await api.json('GET', '/api/v1/runs/run_x')).toMatchObject({ status: 404, code: 'run-not-found' });
  });

  it('a schedule makes one run of each instant, with two masters', async () => {
    const task = await define('every second', { schedule: { cron: '* * * * * *' }, overlap: 'queue' });
    const runs = () => other.json<{ items: { id: string; scheduledFor: string }[] }>('GET', `/api/v1/runs?task=${task}`);
    await waitUntil(async () => (await runs()).items.length >= 3);
    await api.json('POST', `/api/v1/tasks/${task}:pause`);
    const { items } = await runs();
    expect(new Set(items.map((item) => item.scheduledFor)).size).toBe(items.length);
    for (const { id } of items) await api.json('POST', `/api/v1/runs/${id}:cancel`);
  });
});
