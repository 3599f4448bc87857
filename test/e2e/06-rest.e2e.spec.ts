import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { addTask, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-rest-'));
const nobody = 'node_00000000000000000000';
let stack: EmbeddedStack;
let admin: string;
let viewer: string;
let task: string;

const makeKey = async (name: string, role: string): Promise<string> => (await stack.call<{ secret: string }>('POST', '/api/v1/api-keys', { name, role })).secret;

beforeAll(async () => {
  stack = await EmbeddedStack.start(join(room, 'data'));
  admin = await makeKey('story', 'admin');
  viewer = await makeKey('reader', 'viewer');
  task = await addTask(stack, 'tree', [smallTree(join(room, 'tree'))]);
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

interface Sent {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly key?: string | undefined;
}

/** A request as any client may send it; a string is sent as it is. */
const send = (method: string, path: string, { body, headers = {}, key = admin }: Sent = {}): Promise<Response> =>
  fetch(new URL(path, stack.announcement.url), {
    method, headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }), signal: AbortSignal.timeout(30_000),
  });
const json = async <T>(response: Response): Promise<T> => (await response.json()) as T;

/** Says no as RFC 9457 has it: media type, status, a stable code, and a sentence of several words that shows nothing of the inside. */
const expectProblem = async (response: Response, status: number, code?: string | RegExp): Promise<{ errors?: { field: string; detail: string }[] }> => {
  const text = await response.text();
  expect({ status: response.status, type: response.headers.get('content-type'), text }).toMatchObject({ status, type: expect.stringContaining('application/problem+json') as string });
  const problem = JSON.parse(text) as { code: string; detail: string; errors?: { field: string; detail: string }[] };
  expect(problem).toMatchObject({ status, title: expect.any(String) as string, type: `urn:holdfast:problem:${problem.code}` });
  expect(problem.code).toMatch(code instanceof RegExp ? code : new RegExp(`^${code ?? '[a-z0-9-]+'}$`));
  expect(problem.detail.split(' ').length).toBeGreaterThan(2);
  expect(text).not.toMatch(/node_modules|at \w+ \(|QueryFailed|invalid input syntax|TypeORM/);
  return problem;
};
const definition = () => ({ name: 'another', node: stack.node, target: 'target_00000000000000000000', source: { type: 'files', paths: ['/etc'] } });

describe('a request that is wrong', () => {
  it.each([
    ['a field that is not known', { surprise: 1 }, 'surprise'],
    ['a field of a field that is not known', { source: { type: 'files', paths: ['/etc'], surprise: 1 } }, 'source.surprise'],
    ['an id that is none', { node: 'x' }, 'node'],
    ['a wrong type', { name: 7 }, 'name'],
    ['a name that is too long', { name: 'x'.repeat(201) }, 'name'],
    ['a path that is relative', { source: { type: 'files', paths: ['etc'] } }, 'source.paths'],
    ['no path', { source: { type: 'files', paths: [] } }, 'source.paths'],
    ['a source that is not known', { source: { type: 'tape', paths: ['/etc'] } }, 'source.type'],
    ['a cron expression that is none', { schedule: { cron: 'now and then' } }, 'schedule'],
    ['a schedule that never happens', { schedule: { cron: '0 3 31 2 *' } }, 'schedule'],
    ['a name that would move the cursor', { name: 'etc\u001b[2J' }, 'name'],
    ['a time zone that is none', { schedule: { cron: '0 3 * * *', timeZone: 'Mars/Olympus' } }, 'schedule'],
    ['a retention of nothing', { retention: { keepLast: 0 } }, 'retention.keepLast'],
    ['a time limit that is too short', { timeoutSeconds: 1 }, 'timeoutSeconds'],
  ])('with %s is refused and the field is named', async (_what, change, field) => {
    const { errors } = await expectProblem(await send('POST', '/api/v1/tasks', { body: { ...definition(), ...change } }), 400);
    expect(errors?.map((one) => one.field)).toContain(field);
  });
  it('tells all faulty fields at once', async () => {
    const { errors } = await expectProblem(await send('POST', '/api/v1/tasks', { body: { name: 7, target: 'x' } }), 400, 'invalid-request');
    expect(errors?.map(({ field }) => field)).toEqual(expect.arrayContaining(['name', 'target', 'source']));
  });
  it.each([
    ['JSON that is none', '{', 400, 'malformed-request'], ['an array', '[]', 400, undefined], ['a number', '7', 400, undefined], ['null', 'null', 400, undefined], ['nothing', '', 400, undefined],
    ['a body that is too large', JSON.stringify({ name: 'x'.repeat(3_000_000) }), 413, 'body-too-large'],
    ['deep nesting', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, 400, undefined],
    ['a poisoned prototype', '{"__proto__":{"role":"admin"},"name":"x"}', 400, undefined],
  ])('with %s is refused', async (_what, body, status, code) => {
    const response = await send('POST', '/api/v1/tasks', { body });
    expect([status, 400]).toContain(response.status);
    await expectProblem(response, response.status, code);
  });
  it('with another media type is refused', async () => {
    await expectProblem(await send('POST', '/api/v1/nodes', { body: 'name=x', headers: { 'content-type': 'text/plain' } }), 400);
  });
  it.each([
    ['GET', '/api/v1/tasks/x'], ['GET', '/api/v1/tasks/task_00000000000000000000'], ['GET', '/api/v1/runs/..%2f..%2fetc'], ['GET', `/api/v1/nodes/${nobody}`],
    ['GET', "/api/v1/snapshots/x'%20or%201=1"], ['GET', '/api/v1/snapshots/x/entries'], ['GET', '/api/v1/repositories/x'], ['GET', '/api/v1/targets/x'], ['POST', '/api/v1/runs/x:cancel'],
    ['POST', '/api/v1/runs/x:retry'], ['POST', '/api/v1/tasks/x:run'], ['POST', '/api/v1/tasks/x:pause'], ['DELETE', '/api/v1/tasks/x'], ['POST', '/api/v1/targets/x:test'],
    ['POST', `/api/v1/nodes/${nobody}:drain`], ['DELETE', `/api/v1/nodes/${nobody}`], ['POST', '/api/v1/nodes/x/credential:revoke'], ['POST', '/api/v1/snapshots/x:verify'],
    ['DELETE', '/api/v1/api-keys/x'], ['GET', '/api/v1/nothing'], ['GET', '/nothing'], ['POST', '/api/v1/tasks/x:fly'], ['PUT', '/api/v1/tasks'], ['DELETE', '/api/v1/runs'], ['PATCH', '/api/v1/snapshots/x'],
  ])('%s %s is not there: 404 with a code', async (method, path) => {
    await expectProblem(await send(method, path, method === 'POST' ? { body: {} } : {}), 404);
  });
  it.each(['limit=0', 'limit=many', 'limit=100000', 'cursor=nonsense', 'cursor=W10', 'surprise=1', 'limit=1&limit=2'])('a list with ?%s is refused', async (query) => {
    for (const list of ['tasks', 'runs', 'nodes', 'targets', 'snapshots', 'repositories', 'users', 'api-keys', 'audit']) {
      await expectProblem(await send('GET', `/api/v1/${list}?${query}`), 400);
    }
  });
  it.each(['runs?status=happy', 'runs?kind=walk', 'tasks?paused=2', 'tasks?paused=perhaps', 'nodes?presence=where', 'targets?kind=tape', 'live?topics=gossip'])('GET %s is refused', async (query) => {
    await expectProblem(await send('GET', `/api/v1/${query}`), 400);
  });
  it.each(['/api/v1/runs/%00', '/api/v1/runs?task=a%00b', '/api/v1/runs/%ff', '/%00'])('GET %s is refused', async (path) => {
    await expectProblem(await send('GET', path), 400);
  });
  it('a cursor of another list or order is refused', async () => {
    for (let i = 0; i < 2; i++) await send('POST', '/api/v1/nodes', { body: { name: `cursor ${i}` } });
    const { nextCursor } = await json<{ nextCursor: string }>(await send('GET', '/api/v1/nodes?limit=1'));
    await expectProblem(await send('GET', `/api/v1/runs?cursor=${nextCursor}`), 400, 'invalid-cursor');
  });
  it.each([
    ['nodes', (name: string) => ({ name })], ['tasks', (name: string) => ({ ...definition(), name })], ['targets', (name: string) => ({ name, kind: 'builtin' })],
    ['tasks', (path: string) => ({ ...definition(), source: { type: 'files', paths: [`/etc/${path}`] } })], ['api-keys', (name: string) => ({ name, role: 'viewer' })],
    ['nodes', (value: string) => ({ name: 'labelled', labels: { key: value } })], ['nodes', (key: string) => ({ name: 'labelled', labels: { [key]: 'value' } })],
  ] as const)('that makes %s with characters which no database keeps is refused, and the log stays readable', async (list, body) => {
    for (const text of ['a\0b', 'a\ud800b']) await expectProblem(await send('POST', `/api/v1/${list}`, { body: body(text) }), 400);
    expect((await send('POST', '/api/v1/nodes', { body: { name: `after ${list} ${process.hrtime.bigint()}` } })).status).toBe(201);
  });
  it('what a rule forbids is 409 or 422, with its own code', async () => {
    const target = (await json<{ items: { id: string }[] }>(await send('GET', '/api/v1/targets'))).items[0]?.id ?? '';
    await expectProblem(await send('POST', '/api/v1/tasks', { body: { ...definition(), target, name: 'TREE' } }), 409, /name/);
    await expectProblem(await send('DELETE', `/api/v1/targets/${target}`), 409, 'target-in-use');
    await expectProblem(await send('DELETE', `/api/v1/nodes/${stack.node}`), 409, 'node-in-use');
    await expectProblem(await send('POST', '/api/v1/tasks', { body: definition() }), 422, 'target-unknown');
    await expectProblem(await send('POST', '/api/v1/tasks', { body: { ...definition(), target, node: nobody } }), 422, 'node-unknown');
  });
});

describe('who asks', () => {
  it('nobody gets in without a credential, with a wrong one, or with one that is malformed', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: `Bearer ${admin}x` }, { authorization: 'Basic YTpi' }, { cookie: 'holdfast=x' }] as Record<string, string>[]) {
      for (const path of ['tasks', 'runs', 'nodes', 'audit', 'live', 'users']) {
        const response = await send('GET', `/api/v1/${path}`, { key: '', headers });
        expect(response.headers.get('www-authenticate')).toBeTruthy();
        await expectProblem(response, 401, 'not-logged-in|credential-invalid|api-key-invalid');
      }
    }
  });
  it('a viewer\'s key reads and changes nothing', async () => {
    expect((await send('GET', `/api/v1/tasks/${task}`, { key: viewer })).status).toBe(200);
    for (const [method, path] of [['POST', 'tasks'], ['POST', `tasks/${task}:run`], ['DELETE', `tasks/${task}`], ['PATCH', `tasks/${task}`], ['POST', 'nodes'], ['POST', 'targets'], ['POST', 'api-keys'], ['GET', 'api-keys']] as const) {
      await expectProblem(await send(method, `/api/v1/${path}`, { key: viewer, ...(method === 'GET' ? {} : { body: {} }) }), 403, 'role-too-low');
    }
  });
  it('a revoked or expired key is out at once', async () => {
    const { id, secret } = await json<{ id: string; secret: string }>(await send('POST', '/api/v1/api-keys', { body: { name: 'brief', role: 'viewer' } }));
    expect((await send('GET', '/api/v1/tasks', { key: secret })).status).toBe(200);
    expect((await send('DELETE', `/api/v1/api-keys/${id}`)).status).toBe(204);
    await expectProblem(await send('GET', '/api/v1/tasks', { key: secret }), 401);
    await expectProblem(await send('POST', '/api/v1/api-keys', { body: { name: 'past', role: 'viewer', expiresAt: '2001-01-01T00:00:00Z' } }), 400);
  });
  it('a wrong password is 401, whoever it is for, and after some attempts 429 with Retry-After', async () => {
    const login = (name: string) => send('POST', '/api/v1/sessions', { key: '', body: { name, password: 'wrong wrong wrong' } });
    const [known, unknown] = [await json<{ detail: string }>(await login('admin')), await json<{ detail: string }>(await login('nobody'))];
    expect(known.detail).toBe(unknown.detail);
    const limited = await waitUntil(async () => {
      const response = await login('somebody');
      return response.status === 429 ? response : undefined;
    }, 60_000);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    await expectProblem(limited, 429);
  });
});

describe('a write', () => {
  it('with a stale If-Match is 412, with the right one it is done, with nonsense 400', async () => {
    const etag = (await send('GET', `/api/v1/tasks/${task}`)).headers.get('etag') ?? '';
    expect((await send('PATCH', `/api/v1/tasks/${task}`, { body: { timeoutSeconds: 3600 }, headers: { 'if-match': etag } })).status).toBe(204);
    await expectProblem(await send('PATCH', `/api/v1/tasks/${task}`, { body: { timeoutSeconds: 3601 }, headers: { 'if-match': etag } }), 412, 'stale-revision');
    await expectProblem(await send('PATCH', `/api/v1/tasks/${task}`, { body: {}, headers: { 'if-match': 'nonsense' } }), 400, 'invalid-if-match');
    const now = await send('GET', `/api/v1/tasks/${task}`);
    expect(await json(now)).toMatchObject({ timeoutSeconds: 3600 });
    expect((await send('GET', `/api/v1/tasks/${task}`, { headers: { 'if-none-match': now.headers.get('etag') ?? '', 'cache-control': 'max-age=0' } })).status).toBe(304);
  });
  it('with an Idempotency-Key is done once, whoever repeats it, and refuses another body under the same key', async () => {
    const once = (name: string) => send('POST', '/api/v1/nodes', { body: { name }, headers: { 'idempotency-key': 'story-1' } });
    const [first, second] = [await once('idem'), await once('idem')];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await json(second)).toEqual(await json(first));
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    await expectProblem(await once('other'), 422, 'idempotency-key-reused');
    await expectProblem(await send('POST', '/api/v1/nodes', { body: { name: 'x' }, headers: { 'idempotency-key': 'x'.repeat(200) } }), 400, 'invalid-idempotency-key');
    const names = (await json<{ items: { name: string }[] }>(await send('GET', '/api/v1/nodes?limit=200'))).items.map(({ name }) => name);
    expect(names.filter((name) => name === 'idem')).toHaveLength(1);
    expect(names).not.toContain('other');
  });
  it('sent ten times at once under one key is done once', async () => {
    const responses = await Promise.all(Array.from({ length: 10 }, () => send('POST', `/api/v1/tasks/${task}:run`, { body: {}, headers: { 'idempotency-key': 'story-run' } })));
    const runs = new Set(await Promise.all(responses.filter(({ ok }) => ok).map(async (response) => (await json<{ id: string }>(response)).id)));
    expect(runs.size).toBe(1);
    for (const refused of responses.filter(({ ok }) => !ok)) await expectProblem(refused, 409, 'idempotency-key-in-use');
  });
});

describe('a list', () => {
  it('is read page by page without a gap or a repeat, while others write', async () => {
    for (let i = 0; i < 31; i++) expect((await send('POST', '/api/v1/nodes', { body: { name: `page ${String(i).padStart(2, '0')}`, slots: 1 } })).status).toBe(201);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await json<{ items: { name: string }[]; nextCursor?: string }>(await send('GET', `/api/v1/nodes?name=page&limit=7${cursor ? `&cursor=${cursor}` : ''}`));
      expect(page.items.length).toBeLessThanOrEqual(7);
      seen.push(...page.items.map(({ name }) => name));
      if (!cursor) await send('POST', '/api/v1/nodes', { body: { name: 'page 00 came late' } });
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toEqual(Array.from({ length: 31 }, (_, i) => `page ${String(i).padStart(2, '0')}`));
  });
  it('of the audit says who did what', async () => {
    const { items } = await json<{ items: { actor: string; type: string }[] }>(await send('GET', '/api/v1/audit?limit=50'));
    expect(items.some(({ actor }) => actor.startsWith('key:'))).toBe(true);
  });
});

it('the live stream shows a run from its request to its end, and its snapshot', async () => {
  const listening = new AbortController();
  const response = await fetch(new URL('/api/v1/live', stack.announcement.url), { headers: { authorization: `Bearer ${viewer}` }, signal: listening.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => undefined);
  const run = await runTask(stack, task);
  const typesOf = (): string[] => text.split('\n').filter((line) => line.startsWith('data: ') && line.includes(run.id)).map((line) => (JSON.parse(line.slice(6)) as { type?: string }).type ?? 'progress');
  await waitUntil(() => typesOf().includes('RunSucceeded'), 20_000);
  expect(typesOf().filter((type) => type !== 'progress')).toEqual(['RunRequested', 'RunDispatched', 'RunStarted', 'SnapshotRecorded', 'RunSucceeded']);
  listening.abort();
  await reading;
});

describe('the description of the interface', () => {
  interface OpenApi {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, { responses: object; operationId?: string }>>;
  }
  it('is OpenAPI 3.1, and every path of it is served', async () => {
    const document = await json<OpenApi>(await send('GET', '/api/openapi.json', { key: '' }));
    expect(document.openapi).toMatch(/^3\.1\./);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })));
    expect(operations.length).toBeGreaterThan(40);
    const notServed = (await json<{ code: string }>(await send('GET', '/api/v1/no-such-thing', { key: '' }))).code;
    for (const { path, method } of operations) {
      if (path === '/api/v1/live') continue;
      // Without a credential, so that nothing is done: whatever is served says 401, or, where anybody may ask, something better.
      const response = await send(method, path.replaceAll(/\{\w+\}/g, 'x'), { key: '', ...(method === 'GET' ? {} : { body: {} }) });
      const unknown = response.status === 404 && (await response.json() as { code: string }).code === notServed;
      expect({ method, path, served: !unknown && response.status < 500 }).toEqual({ method, path, served: true });
    }
  });
  it('has a page for people', async () => {
    const response = await send('GET', '/api/docs', { key: '' });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  });
});

it('the jobs of an operator end with a sentence for people, an object for programs, and a code', async () => {
  const [told, refused] = await Promise.all([
    cli(stack, ['doctor', 'log']), cli(stack, ['--json', 'doctor', 'log'], { HOLDFAST_POSTGRES_URL: 'nonsense' }),
  ]);
  expect(told).toEqual({ code: 0, out: expect.stringMatching(/^The log and its archive agree: .*\.\n$/) as string, words: '' });
  expect({ ...refused, words: messagesOf(refused.words) }).toMatchObject({ code: 2, out: '', words: [{ message_type: 'error', code: 'invalid-configuration' }] });
});

it('metrics can be read by Prometheus', async () => {
  const response = await send('GET', '/metrics', { key: '' });
  expect(response.status).toBe(200);
  const lines = (await response.text()).split('\n').filter(Boolean);
  const sample = /^[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})? (NaN|[+-]?Inf|[+-]?[\d.]+(e[+-]?\d+)?)( \d+)?$/;
  expect(lines.filter((line) => !/^# (HELP|TYPE|EOF|UNIT)\b/.test(line) && !sample.test(line))).toEqual([]);
  for (const name of ['holdfast_projection_lag_events', 'holdfast_projection_position', 'holdfast_runs{', 'holdfast_nodes{']) {
    expect(lines.some((line) => line.startsWith(name)), name).toBe(true);
  }
});

it('the status is not 200 while Postgres is away, and 200 again afterwards; requests meanwhile are 503, not 500', async () => {
  expect(await json(await send('GET', '/api/status', { key: '' }))).toMatchObject({ success: true, role: 'master', version: expect.any(String) as string });
  stack.pause('postgres');
  try {
    const status = await waitUntil(async () => {
      const response = await send('GET', '/api/status', { key: '' });
      return response.status === 503 ? response : undefined;
    }, 20_000);
    expect(await json(status)).toMatchObject({ success: false, indicators: { postgres: { status: 'down' } } });
    expect((await send('GET', '/health/live', { key: '' })).status).toBe(200);
    expect((await send('GET', '/health/ready', { key: '' })).status).toBe(503);
  } finally {
    stack.resume('postgres');
  }
  stack.kill('postgres');
  await waitUntil(async () => (await send('GET', '/api/status', { key: '' })).status === 503, 20_000).catch(() => undefined);
  const answer = await send('GET', '/api/v1/tasks');
  if (!answer.ok) await expectProblem(answer, 503);
  await waitUntil(async () => (await send('GET', '/api/status', { key: '' })).status === 200, 60_000);
  expect(await runTask(stack, task)).toMatchObject({ status: 'succeeded' });
});
