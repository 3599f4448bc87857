import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { runEvents } from '../support/archive.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { checkHistories, eventTypes } from '../support/history.ts';
import { type RunView, addTask, runEnded } from '../support/runs.ts';
import { SecondMaster } from '../support/second-master.ts';
import { slowTree, smallTree, stirIslands } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-masters-'));
const slow = join(room, 'slow');
let stack: EmbeddedStack;
let key: string;
let second: SecondMaster;
let slowTask: string;

beforeAll(async () => {
  slowTree(slow, 1);
  stack = await EmbeddedStack.start(join(room, 'data'));
  ({ secret: key } = await stack.call<{ secret: string }>('POST', '/api/v1/api-keys', { name: 'story', role: 'admin' }));
  second = await SecondMaster.start(stack, key);
  slowTask = await addTask(stack, 'slow', [slow]);
}, 120_000);

afterAll(async () => {
  await second?.end('SIGKILL');
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

/** A request to the first master, without throwing. */
const first = (method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(new URL(path, stack.announcement.url), {
    method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers }, ...(body ? { body: JSON.stringify(body) } : {}),
  });

describe('two masters on one log', () => {
  it('are both ready, and see the same installation', async () => {
    const status = async (base: string) => (await (await fetch(new URL('/api/status', base))).json()) as { installation: string; success: boolean };
    const [one, two] = [await status(stack.announcement.url), await status(second.url)];
    expect([one.success, two.success]).toEqual([true, true]);
    expect(one.installation).toBe(two.installation);
  });

  it('what was written through one is read from the other at once', async () => {
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [first, second.send.bind(second)] : [second.send.bind(second), first];
      const made = (await (await writer('POST', '/api/v1/nodes', { name: `node ${i}` })).json()) as { id: string };
      const read = await reader('GET', `/api/v1/nodes/${made.id}`);
      expect({ i, status: read.status, name: ((await read.json()) as { name: string }).name }).toEqual({ i, status: 200, name: `node ${i}` });
    }
  });

  it('of two changes to the same revision, one is made and one is told that it is stale', async () => {
    const { id } = await second.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'contested' });
    for (let i = 0; i < 5; i++) {
      const etag = (await first('GET', `/api/v1/nodes/${id}`)).headers.get('etag') ?? '';
      const answers = await Promise.all([
        first('PATCH', `/api/v1/nodes/${id}`, { slots: 2 + 2 * i }, { 'if-match': etag }), second.send('PATCH', `/api/v1/nodes/${id}`, { slots: 3 + 2 * i }, { 'if-match': etag }),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 412]);
    }
  });

  it('the same name is taken once, and the same Idempotency-Key is worked on once', async () => {
    const named = await Promise.all([first('POST', '/api/v1/nodes', { name: 'Wanted' }), second.send('POST', '/api/v1/nodes', { name: 'wanted' })]);
    expect(named.map(({ status }) => status).sort()).toEqual([201, 409]);
    const keyed = { 'idempotency-key': 'both' };
    const answers = await Promise.all([first('POST', '/api/v1/nodes', { name: 'Once' }, keyed), second.send('POST', '/api/v1/nodes', { name: 'Once' }, keyed)]);
    const made = answers.filter(({ ok }) => ok);
    expect(made.length).toBeGreaterThan(0);
    const ids = await Promise.all(made.map(async (response) => ((await response.json()) as { id: string }).id));
    expect(new Set(ids).size).toBe(1);
    for (const { status } of answers.filter(({ ok }) => !ok)) expect(status).toBe(409);
  });

  it('a schedule that fires each second makes exactly one run of an instant, and goes on when one of them dies', async () => {
    const task = await addTask(stack, 'ticking', [smallTree(join(room, 'small'))], { schedule: { cron: '* * * * * *' }, overlap: 'skip' });
    const instants = async (): Promise<string[]> =>
      (await runEvents(stack)).filter((event) => event.type === 'RunRequested' && event.data['task'] === task).map((event) => String(event.data['scheduledFor']));
    await waitUntil(async () => (await instants()).length >= 6, 40_000);
    await second.end('SIGKILL');
    const soFar = (await instants()).length;
    await waitUntil(async () => (await instants()).length >= soFar + 3, 30_000);
    second = await SecondMaster.start(stack, key);
    const before = (await instants()).length;
    await waitUntil(async () => (await instants()).length >= before + 3, 30_000);
    await stack.call('DELETE', `/api/v1/tasks/${task}`);
    const all = await instants();
    expect(new Set(all).size).toBe(all.length);
    expect(all.every((instant) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/.test(instant))).toBe(true);
    const { items } = await stack.call<{ items: RunView[] }>('GET', `/api/v1/runs?task=${task}&limit=200`);
    for (const { id } of items) expect((await runEnded(stack, id)).status).toMatch(/^(succeeded|skipped)$/);
    await checkHistories(stack);
  });
});

/** Starts a run through `start` and resolves when its data plane is at work. */
const inMidRun = async (start: () => Promise<{ id: string }>): Promise<string> => {
  stirIslands(slow);
  const { id } = await start();
  await waitUntil(async () => (await second.call<RunView>('GET', `/api/v1/runs/${id}`)).progress?.phase === 'content', 60_000);
  return id;
};

describe('a run', () => {
  beforeEach(async () => {
    if (!second.isRunning) second = await SecondMaster.start(stack, key);
  }, 90_000);

  it('survives the master that it was asked of', async () => {
    const id = await inMidRun(() => second.call('POST', `/api/v1/tasks/${slowTask}:run`));
    await second.end('SIGKILL');
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded', faults: [] });
    expect((await eventTypes(stack, id)).filter((type) => type === 'RunStarted')).toHaveLength(1);
    await checkHistories(stack);
  });

  it('survives the other one too, which the remaining master shows all the while', async () => {
    const id = await inMidRun(() => stack.call('POST', `/api/v1/tasks/${slowTask}:run`));
    stack.kill('master');
    await waitUntil(async () => (await second.call<RunView>('GET', `/api/v1/runs/${id}`)).status === 'succeeded', 120_000);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded', faults: [] });
    expect((await eventTypes(stack, id)).filter((type) => type === 'SnapshotRecorded')).toHaveLength(1);
    await checkHistories(stack);
  });

  it('a verify comes to a truthful end when a master dies, and is done by the other one when it is asked for again', async () => {
    const { items } = await second.call<{ items: { id: string }[] }>('GET', '/api/v1/snapshots?limit=1');
    const { id } = await second.call<{ id: string }>('POST', `/api/v1/snapshots/${items[0]?.id}:verify`, { level: '3' });
    await second.end('SIGKILL');
    const ended = await runEnded(stack, id);
    expect(ended.status).toMatch(/^(succeeded|lost)$/);
    if (ended.status === 'lost') expect(ended.code).toBeTruthy();
    const again = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${items[0]?.id}:verify`, { level: '3' });
    expect(await runEnded(stack, again.id)).toMatchObject({ kind: 'verify', status: 'succeeded' });
    await checkHistories(stack);
  });

  it('a master that is asked to stop ends in order', async () => {
    expect(await second.end('SIGTERM')).toBe(0);
  });
});
