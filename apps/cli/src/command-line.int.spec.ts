import { existsSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from './command-line.ts';

const answers: Record<string, unknown> = {
  'GET /api/v1/targets': { items: [{ id: 'target_00000000000000000001', name: 'store', kind: 's3', addedAt: 'a', s3: { region: 'r', bucket: 'bkt', prefix: '', accessKeyId: 'k' } }] },
  'DELETE /api/v1/targets/target_00000000000000000001': {},
  'GET /api/v1/api-keys': { items: [{ id: 'key_00000000000000000001', name: 'old', role: 'viewer', status: 'active', createdAt: 'c', expiresAt: '2020-01-01T00:00:00.000Z' }] },
  'POST /api/v1/targets/target_00000000000000000001:test': { passed: false, access: 'relay', steps: [{ step: 'store-writes', passed: false, detail: 'The bucket does not exist' }] },
  'GET /api/v1/nodes': { items: [{ id: 'node_00000000000000000001', name: 'web\u001b]0;owned\u0007', slots: 1, alarms: [] }] },
  'POST /api/v1/nodes': { id: 'node_00000000000000000009' },
  'GET /api/v1/snapshots': {
    items: [
      { id: 'snap_00000000000000000001', node: 'node_00000000000000000001', task: 'task_00000000000000000001', taskName: 'etc', time: '2026-11-21T00:00:00.000Z', files: 1, bytes: 1, storedBytes: 1 },
      { id: 'snap_00000000000000000002', node: 'node_00000000000000000001', task: 'task_00000000000000000002', taskName: 'home', time: '2026-11-22T00:00:00.000Z', files: 1, bytes: 1, storedBytes: 1 },
    ],
  },
  'POST /api/v1/snapshots/snap_00000000000000000001:restore': { id: 'run_00000000000000000001', status: 'queued' },
  'GET /api/v1/tasks': { items: [{ id: 'task_00000000000000000001', revision: 4, name: 'etc\u001b[2J', source: { type: 'files', paths: ['/etc'] }, target: 'target_00000000000000000001', schedule: { cron: '0 3 * * *', timeZone: 'UTC', misfire: 'skip' } }] },
  'POST /api/v1/tasks/task_00000000000000000001:pause': {},
};

describe('the command line, at a master', () => {
  let master: Server;
  let url: string;
  let asked: { readonly request: string; readonly body: string; readonly ifMatch?: string | undefined }[] = [];
  let written: { out: string; err: string };
  const run = (...args: string[]): Promise<number> => runCommandLine(['--url', url, ...args]);

  beforeAll(async () => {
    master = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => { body += part.toString(); }).on('end', () => {
        const name = `${request.method} ${request.url?.split('?')[0]}`;
        asked.push({ request: name, body, ifMatch: request.headers['if-match'] });
        if (request.method === 'PATCH') return response.writeHead(204).end();
        if (request.headers.authorization === 'Bearer hfk_expired') return response.writeHead(401).end();
        const answer = request.headers.authorization === 'Bearer hfk_many' ? { items: [{ id: 'node_1', name: 'a' }, { id: 'node_2', name: 'b' }] } : answers[name];
        return response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? { code: 'run-not-found', detail: 'There is none' }));
      });
    }).listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(master.listening).toBe(true));
    url = `http://127.0.0.1:${(master.address() as AddressInfo).port}`;
  });
  afterAll(() => master.close());
  beforeEach(() => {
    asked = [];
    written = { out: '', err: '' };
    vi.stubEnv('HOLDFAST_TOKEN', 'hfk_test');
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => { written.out += String(text); return true; });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => { written.err += String(text); return true; });
  });
  afterEach(() => { vi.restoreAllMocks(); vi.unstubAllEnvs(); });

  it('ends with 1 when a target did not pass its test', async () => {
    expect(await run('targets', 'test', 'store')).toBe(1);
    expect(written.out).toMatch(/store-writes +FAILED +The bucket does not exist/);
    expect(await run('--json', 'targets', 'test', 'store')).toBe(1);
  });

  it('shows one target and one snapshot, forgets a target, and calls a key that has run out expired', async () => {
    expect([await run('targets', 'show', 'store'), await run('snapshots', 'show', 'latest', '--task', 'etc'), await run('targets', 'rm', 'store'), await run('api-keys', 'ls')]).toEqual([0, 0, 0, 0]);
    expect(written.out).toMatch(/endpoint +AWS\nbucket +bkt\n[\s\S]*tested +not yet\n[\s\S]*task +etc\n[\s\S]*verified +not yet\nstore: removed\n[\s\S]*viewer +expired/);
    expect(asked.some(({ request }) => request === 'DELETE /api/v1/targets/target_00000000000000000001')).toBe(true);
  });

  it('says that there is no stack whose log could be examined, and makes no directory for one', async () => {
    const data = join(tmpdir(), `holdfast-no-stack-${process.pid}`);
    vi.stubEnv('HOLDFAST_DATA', data);
    expect(await run('doctor', 'log')).toBe(2);
    expect([written.err, existsSync(data)]).toEqual([expect.stringContaining('[no-master-known]'), false]);
  });

  it('never gives a name the power over the terminal', async () => {
    expect(await run('nodes', 'ls')).toBe(0);
    expect(await run('tasks', 'pause', 'etc\u001b[2J')).toBe(0);
    expect(written.out).not.toContain('\u001b');
    expect(written.out).toContain('etc\\x1b[2J: paused');
  });

  it('tells a wrong flag as every other error, for programs too', async () => {
    expect(await run('tasks', 'add', 'x')).toBe(2);
    expect(written.err).toMatch(/^holdfast: required option '--path .*\[invalid-arguments\]\n$/);
    written.err = '';
    expect(await run('--json', 'runs', 'ls', '--limi')).toBe(2);
    expect(JSON.parse(written.err)).toEqual({ message_type: 'error', code: 'invalid-arguments', detail: "unknown option '--limi' (Did you mean --limit?); --help says what there is" });
  });

  it('takes the latest snapshot of the task that is named, and says which one it took', async () => {
    expect(await run('restore', 'latest:etc/hosts', '--task', 'etc', '--to', '/tmp/out')).toBe(0);
    expect(asked.at(-1)).toMatchObject({ request: 'POST /api/v1/snapshots/snap_00000000000000000001:restore' });
    expect(written.err).toContain('snap_00000000000000000001 of etc');
    expect(await run('restore', 'latest', '--task', 'nothing', '--to', '/tmp/out')).toBe(4);
  });

  it('changes of a task what was named and nothing else, and not over somebody else\'s change', async () => {
    expect(await run('tasks', 'edit', 'task_00000000000000000001', '--time-zone', 'Europe/Vienna')).toBe(0);
    expect(asked.at(-1)).toEqual({
      request: 'PATCH /api/v1/tasks/task_00000000000000000001', ifMatch: '"4"', body: JSON.stringify({ schedule: { cron: '0 3 * * *', timeZone: 'Europe/Vienna', misfire: 'skip' } }),
    });
    expect(await run('tasks', 'edit', 'task_00000000000000000001', '--no-schedule')).toBe(0);
    expect(asked.at(-1)?.body).toBe('{"schedule":null}');
    expect(await run('tasks', 'edit', 'task_00000000000000000001')).toBe(2);
  });

  it('leaves no node behind whose link could not be made', async () => {
    expect(await run('nodes', 'add', 'web-9', '--life', '2h')).not.toBe(0);
    expect(asked.map(({ request }) => request)).toEqual(['POST /api/v1/nodes', 'POST /api/v1/enrolment-links', 'DELETE /api/v1/nodes/node_00000000000000000009']);
  });

  it('asks which node is meant where there are several, and says what is wrong with an API key', async () => {
    expect(await run('tasks', 'add', 'x', '--path', '/etc', '--target', 'nothing')).toBe(4);
    vi.stubEnv('HOLDFAST_TOKEN', 'hfk_expired');
    expect(await run('nodes', 'ls')).toBe(5);
    expect(written.err).toContain('[api-key-refused]');
    vi.stubEnv('HOLDFAST_TOKEN', 'hfk_many');
    expect(await run('tasks', 'add', 'x', '--path', '/etc')).toBe(2);
    expect(written.err).toContain('There are 2 nodes; say which with --node: a, b [node-ambiguous]');
  });

  it('says that nobody answers, and ends with 1', async () => {
    expect(await runCommandLine(['--url', 'http://127.0.0.1:9', 'nodes', 'ls'])).toBe(1);
    expect(written.err).toContain('[master-unreachable]');
    expect(await runCommandLine(['--url', 'not a url', 'nodes', 'ls'])).toBe(2);
  });

  it('tells a server that is no master from one, whether it knows the path or not', async () => {
    const stranger = createServer((request, response) => response.writeHead(request.url === '/api/v1/nodes' ? 200 : 404).end('<h1>Hello</h1>')).listen(0, '127.0.0.1');
    await vi.waitFor(() => expect(stranger.listening).toBe(true));
    const there = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    for (const verb of ['nodes', 'targets']) {
      written.err = '';
      expect(await runCommandLine(['--url', there, verb, 'ls'])).toBe(1);
      expect(written.err).toContain('[not-a-master]');
    }
    vi.stubEnv('HOLDFAST_TOKEN', '');
    vi.stubEnv('HOLDFAST_PASSWORD', 'secret');
    expect(await runCommandLine(['--url', there, 'nodes', 'ls'])).toBe(1);
    stranger.close();
  });
});
