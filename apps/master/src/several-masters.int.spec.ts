import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMessage, subjects } from '#contracts';
import { newAgeKey, newNkey } from '#identity';
import { type Clock, rfc3339, systemClock } from '#kernel';
import { waitUntil } from '#testing';
import { runAdministration } from './administration.ts';
import type { Master } from './application.ts';
import { TestClient, type TestStack, startStack } from './testing.ts';

interface Items<T> { items: T[] }
interface Made { id: string }
interface LinkShown { id: string; status: string; node: string }

const host = { hostname: 'db1.test', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };
const minute = 60_000;

describe('several masters on one log', () => {
  let stack: TestStack;
  let shift = 0;
  /** The machine's clock, moved by `shift`. */
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + shift };
  let [first, second]: Master[] = [];
  let [api, other]: TestClient[] = [];

  beforeAll(async () => {
    stack = await startStack();
    first = await stack.master({ clock });
    api = await new TestClient(first.url).login();
  });
  afterAll(() => stack.stop());

  const events = async (type: string): Promise<string[]> => {
    const { rows } = await first!.foundation.pool.query<{ id: string }>('select aggregate_id as id from archive.events where type = $1', [type]);
    return rows.map(({ id }) => id);
  };
  const links = async (query: string): Promise<string[]> =>
    (await api!.json<Items<LinkShown>>('GET', `/api/v1/enrolment-links?limit=100&${query}`)).items.map(({ id }) => id).sort();

  it('say once of each link that it has expired, and never of one that was spent; the list is true before they said it', async () => {
    const nodeOf = async (name: string) => (await api!.json<Made>('POST', '/api/v1/nodes', { name })).id;
    const issue = (node: string, life: string) => api!.json<Made & { token: string }>('POST', '/api/v1/enrolment-links', { node, life });
    const short = (await Promise.all(Array.from({ length: 20 }, async (_, index) => issue(await nodeOf(`late-${index}`), '5m')))).map(({ id }) => id).sort();
    const node = await nodeOf('late');
    const [spent, long] = [await issue(node, '5m'), await issue(node, '1h')];
    const enrolled = await api!.call('POST', '/api/v1/enrol', { token: spent.token, publicKey: newNkey('user').publicKey, recipient: (await newAgeKey()).recipient, host });
    expect(enrolled.status).toBe(200);
    expect(await links('status=open')).toEqual([...short, long.id].sort());
    shift = 6 * minute;
    expect(await links('status=expired')).toEqual(short);
    expect(await links(`status=open&node=${node}`)).toEqual([long.id]);
    expect(await links('status=consumed')).toEqual([spent.id]);

    [second] = await Promise.all([stack.master({ clock }), stack.master({ clock })]);
    other = await new TestClient(second.url).login();
    await waitUntil(async () => new Set(await events('EnrolmentLinkExpired')).size === short.length);
    expect(await links('status=expired')).toEqual(short);
  });

  it('leave no task on a node or a target that is removed at the same moment', async () => {
    for (let round = 0; round < 24; round++) {
      const name = `raced ${round}`;
      const target = (await api!.json<Made>('POST', '/api/v1/targets', { name, kind: 'builtin' })).id;
      const node = (await api!.json<Made>('POST', '/api/v1/nodes', { name })).id;
      const removed = round % 2 === 0 ? `/api/v1/targets/${target}` : `/api/v1/nodes/${node}`;
      const task = { name, nodes: [node], target, source: { type: 'files', paths: ['/etc'] } };
      const [removal, definition] = await Promise.all([api!.call('DELETE', removed), other!.call('POST', '/api/v1/tasks', task)]);
      expect([[204, 422], [409, 201]]).toContainEqual([removal.status, definition.status]);
      expect((await api!.call('GET', removed)).status).toBe(removal.status === 204 ? 404 : 200);
    }
    const { items } = await api!.json<Items<{ nodes: string[]; target: string }>>('GET', '/api/v1/tasks?limit=100');
    for (const { nodes, target } of items) {
      for (const path of [`/api/v1/nodes/${nodes[0]}`, `/api/v1/targets/${target}`]) expect((await other!.call('GET', path)).status).toBe(200);
    }
  });

  it('let go of a node and a target when the last task that used them is changed or deleted', async () => {
    const place = async (kind: string, body: object) => (await api!.json<Made>('POST', `/api/v1/${kind}`, body)).id;
    const [a, b] = [await place('targets', { name: 'a', kind: 'builtin' }), await place('targets', { name: 'b', kind: 'builtin' })];
    const node = await place('nodes', { name: 'a' });
    const task = await place('tasks', { name: 'a', nodes: [node], target: a, source: { type: 'files', paths: ['/etc'] } });
    expect((await other!.call('PATCH', `/api/v1/tasks/${task}`, { target: b })).status).toBe(204);
    expect((await api!.call('DELETE', `/api/v1/targets/${a}`)).status).toBe(204);
    expect(await api!.json('DELETE', `/api/v1/targets/${b}`)).toMatchObject({ code: 'target-in-use' });
    expect((await other!.call('DELETE', `/api/v1/tasks/${task}`)).status).toBe(204);
    expect((await api!.call('DELETE', `/api/v1/targets/${b}`)).status).toBe(204);
    expect((await api!.call('DELETE', `/api/v1/nodes/${node}`)).status).toBe(204);
  });

  it('stream the log of a run: what there is, each line as it comes, and the end, which another master brought about', async () => {
    const target = (await api!.json<Made>('POST', '/api/v1/targets', { name: 'logged', kind: 'builtin' })).id;
    const node = (await api!.json<Made>('POST', '/api/v1/nodes', { name: 'logged' })).id;
    const task = (await api!.json<Made>('POST', '/api/v1/tasks', { name: 'logged', nodes: [node], target, source: { type: 'files', paths: ['/etc'] } })).id;
    const run = (await api!.json<Made>('POST', `/api/v1/tasks/${task}:run`)).id;
    const say = (n: number) => first!.foundation.bus.publish(subjects.log(node, run), encodeMessage({ attempt: 1, lines: [{ n, time: rfc3339(0), level: 'info', text: `line ${n}` }] }));
    const end = new AbortController();
    const listen = async (headers: Record<string, string> = {}) => {
      const answer = await fetch(`${first!.url}/api/v1/runs/${run}/log?follow=1`, { headers: { cookie: api!.session, ...headers }, signal: end.signal });
      let text = '';
      const closed = (async () => { for await (const part of answer.body ?? []) text += Buffer.from(part).toString(); })();
      closed.catch(() => undefined);
      return { status: answer.status, type: answer.headers.get('content-type'), text: () => text, numbers: () => [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n)), closed };
    };
    say(1);
    await waitUntil(async () => (await api!.json<{ lines: object[] }>('GET', `/api/v1/runs/${run}/log`)).lines.length === 1);
    const stream = await listen();
    expect(stream.type).toMatch(/^text\/event-stream/);
    await waitUntil(() => stream.numbers().length === 1);
    const [, position = ''] = /event: lines\nid: (\d+)/.exec(stream.text()) ?? [];
    say(2);
    await waitUntil(() => stream.numbers().length === 2);
    const resumed = await listen({ 'last-event-id': position });
    await waitUntil(() => resumed.numbers().length === 1);
    say(3);
    expect((await other!.call('POST', `/api/v1/runs/${run}:cancel`)).status).toBe(200);
    await Promise.all([stream.closed, resumed.closed]);
    expect([stream.numbers(), resumed.numbers()]).toEqual([[1, 2, 3], [2, 3]]);
    for (const { text } of [stream, resumed]) expect(text()).toMatch(/event: end\nid: \d+\ndata: \{"status":"cancelled"\}\n\n$/);
    const [last] = /\d+(?=\ndata: \{"status")/.exec(stream.text()) ?? [];
    expect((await listen({ 'last-event-id': last ?? '' })).status).toBe(204);
    expect(await api!.json('GET', `/api/v1/runs/${run}/log?follow=perhaps`)).toMatchObject({ status: 400, errors: [{ field: 'follow' }] });
    expect(await api!.json('GET', `/api/v1/runs/run_00000000000000000000/log?follow=1`)).toMatchObject({ status: 404, code: 'run-not-found' });
    end.abort();
  });

  it('refuse to start with another session secret, until it is changed for all', async () => {
    const secret = { SESSION_SECRET: 'another secret of thirty-two letters or more' };
    await expect(stack.master({ variables: secret })).rejects.toMatchObject({ code: 'session-secret-differs' });
    const stored = await first!.foundation.pool.query<{ text: string }>('select f::text as text from vault.secret_fingerprints f');
    expect(stored.rows).toHaveLength(1);
    await runAdministration(['doctor', 'session-secret'], AbortSignal.timeout(20_000), { ...stack.variables, ...secret });
    const changed = await stack.master({ variables: secret });
    expect((await (await new TestClient(changed.url).login()).call('GET', '/api/v1/me')).status).toBe(200);
    await expect(stack.master()).rejects.toMatchObject({ code: 'session-secret-differs' });
  });

  it('have said nothing twice meanwhile', async () => {
    const expired = await events('EnrolmentLinkExpired');
    expect(expired.length).toBe(20);
    expect(new Set(expired).size).toBe(20);
  });
});
