import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClaimGranted, GrantAnswer } from '#contracts';
import { loadKeys, newAgeKey, newNkey, openSealed } from '#identity';
import { forbiddenToPublish, forbiddenToSubscribe, waitUntil } from '#testing';
import { query, runEvents } from '../support/archive.ts';
import { accessOf, cli } from '../support/cli.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { type RunView, addTask, restoreTo, runEnded, runTask } from '../support/runs.ts';
import { BusSpeaker, type NodeAccess, accessIn, filesBelow, holdersOf } from '../support/thief.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-thief-'));
const loot = join(room, 'loot');
const huge = join(room, 'huge');
let stack: EmbeddedStack;
let access: Record<string, string>;
/** The folder in the target that is the node's repository: the thief may even read that. */
let repository: string;
let done: RunView;
let thief: BusSpeaker;
let neighbour: BusSpeaker;
let pulse: NodeJS.Timeout;

/** Enrols another node and speaks as it: the victim of a thief. */
const enrolNeighbour = async (): Promise<NodeAccess> => {
  const { id } = await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'neighbour' });
  const { token } = await stack.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node: id });
  const [key, age] = [newNkey('user'), await newAgeKey()];
  const host = { hostname: 'neighbour', platform: 'linux', arch: 'x64', agentVersion: '0' };
  return { ...(await stack.call<NodeAccess>('POST', '/api/v1/enrol', { token, publicKey: key.publicKey, recipient: age.recipient, host })), node: id, seed: key.seed };
};

beforeAll(async () => {
  const tree = smallTree(join(room, 'tree'));
  mkdirSync(huge);
  writeFileSync(join(huge, 'holes'), '');
  truncateSync(join(huge, 'holes'), 4 * 1024 ** 4);
  stack = await EmbeddedStack.start(join(room, 'data'));
  access = await accessOf(stack);
  const task = await addTask(stack, 'tree', [tree]);
  await runTask(stack, task);
  done = await runTask(stack, task);
  // Restored too: what was unsealed for that must be gone as well.
  mkdirSync(join(room, 'restored'));
  expect(await restoreTo(stack, done.snapshot ?? '', join(room, 'restored'))).toMatchObject({ status: 'succeeded' });
  const [target] = readdirSync(join(stack.data, 'objects', 'targets'));
  repository = join(stack.data, 'objects', 'targets', target ?? '', stack.node);
  cpSync(join(stack.data, 'agent'), loot, { recursive: true });
  thief = await BusSpeaker.connect(accessIn(loot));
  neighbour = await BusSpeaker.connect(await enrolNeighbour());
  neighbour.beat('inst_neighbour');
  // A node that is silent for longer than masters allow is given nothing to do.
  pulse = setInterval(() => neighbour.beat('inst_neighbour'), 5_000);
}, 150_000);

afterAll(async () => {
  clearInterval(pulse);
  await Promise.all([thief, neighbour].map((speaker) => speaker?.connection.close()));
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

/** age identities in the loot, wherever they stand. */
const identities = (): string[] => filesBelow(loot).flatMap((file) => readFileSync(file, 'latin1').match(/AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+/g) ?? []);

describe('who has the state directory of an agent', () => {
  it('holds one age identity, the node\'s own, which opens no key of the repository', async () => {
    const found = identities();
    expect(found).toHaveLength(1);
    const keys = ['id-key', 'keys', 'catalog-keys'].flatMap((folder) => filesBelow(join(repository, folder)));
    expect(keys.length).toBeGreaterThanOrEqual(5);
    for (const key of keys) await expect(openSealed(found[0] ?? '', readFileSync(key)), key).rejects.toMatchObject({ code: 'seal-unreadable' });
  });
  it('holds no data key and no catalog key of any attempt, in any usual spelling, and no key of the installation', async () => {
    const installation = await loadKeys(join(stack.data, 'keys'));
    const unwrapped = async (folder: string): Promise<Uint8Array[]> =>
      Promise.all(filesBelow(join(repository, folder)).map((file) => openSealed(installation.data.identity ?? '', readFileSync(file))));
    const secrets = [...(await unwrapped('keys')), ...(await unwrapped('catalog-keys'))];
    expect(secrets.length).toBeGreaterThanOrEqual(4);
    for (const secret of secrets) expect(holdersOf(loot, secret)).toEqual([]);
    for (const name of ['crypto.secret', 'control.seed', 'system.seed', 'agents.seed', 'operator.seed', 'operator-signing.seed', 'data.age', 'catalog.age']) {
      expect(holdersOf(loot, Buffer.from(readFileSync(join(stack.data, 'keys', name), 'utf8').trim())), name).toEqual([]);
    }
    // The search is no blind one: the id key lies there, as the format says.
    const idKeys = await unwrapped('id-key');
    expect(idKeys.flatMap((secret) => holdersOf(loot, secret))).not.toEqual([]);
  });
  it('cannot restore, list or prune with it and a copy of the whole repository', async () => {
    const identity = join(loot, 'age.identity');
    const to = join(room, 'stolen');
    const offline = (...args: string[]) => cli(stack, ['repo', ...args, '--repository', repository, '--identity', identity]);
    for (const args of [['restore', 'latest', '--to', to], ['ls', 'latest'], ['prune', '--keep-last', '1'], ['verify', '--level', '3']]) {
      const { code, out, words } = await offline(...args);
      expect({ args, code, words }).toMatchObject({ code: expect.toSatisfy((value: number) => value !== 0 && value !== 3) as number, words: expect.stringMatching(/\[[a-z-]+\]/) as string });
      expect(out).not.toContain('random');
    }
    expect(filesBelow(room).filter((file) => file.startsWith(to))).toEqual([]);
  });
});

// The REST interface is tried operation by operation in apps/master/src/agent-rights.int.spec.ts.
describe('who has an agent\'s credential, at the master\'s door', () => {
  it('the relay lists nothing, deletes nothing, and gives nothing without a grant', async () => {
    const [pack = ''] = filesBelow(join(repository, 'packs'));
    const name = pack.slice(repository.length + 1);
    const [target] = readdirSync(join(stack.data, 'objects', 'targets'));
    const places = ['', name, 'packs/', `${target}/${stack.node}/${name}`, `${stack.node}/${name}`];
    for (const place of places) {
      for (const method of ['GET', 'PUT', 'DELETE', 'POST', 'PATCH', 'HEAD']) {
        const response = await fetch(new URL(`/relay/${place}`, stack.announcement.url), { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
        expect({ method, place, refused: response.status >= 400 && response.status < 500 }).toEqual({ method, place, refused: true });
      }
    }
    expect(filesBelow(join(repository, 'packs'))).toContain(pack);
  });
});

describe('who has an agent\'s credential, on the bus', () => {
  const own = (): string => thief.access.node;
  const other = (): string => neighbour.access.node;
  it('cannot publish, ask or listen to anything that the table of forbidden subjects has', async () => {
    const nodes = { mine: own(), other: other() };
    for (const subject of await forbiddenToPublish(nodes)) await thief.isRefused('publish', subject, () => thief.connection.publish(subject, '{}', { reply: `_INBOX_${own()}.probe` }));
    for (const subject of forbiddenToSubscribe(nodes)) {
      await thief.isRefused('subscription', subject, () => void thief.connection.subscribe(subject, { callback: () => undefined }));
    }
  });

  it('gets no grant under an old claim of its own run, and its late report changes nothing', async () => {
    const started = (await runEvents(stack)).find((event) => event.aggregate_id === done.id && event.type === 'RunStarted');
    const holder = { run: done.id, attempt: 1, claim: String(started?.data['claim']) };
    const pack = (await query<{ name: string }>(stack, 'select id as name from read.snapshots limit 1'))[0]?.name ?? '';
    for (const object of [{ access: 'read', name: `snapshots/${pack}/${'0'.repeat(64)}` }, { access: 'write', name: `packs/00/${'0'.repeat(64)}`, size: 1, sha256: '0'.repeat(64) }]) {
      expect(await thief.ask('grant', { holder, objects: [object] })).toMatchObject({ status: 'stop', code: 'attempt-fenced' });
    }
    for (const method of ['known-chunks', 'packs'] as const) expect(await thief.ask(method, { holder })).toMatchObject({ status: 'stop' });
    expect(await thief.ask('claim', { run: done.id, attempt: 1, instance: 'inst_of_a_thief' })).not.toMatchObject({ status: 'ok' });
    const before = (await runEvents(stack)).length;
    const report = { protocol: 1, attempt: 1, claim: holder.claim, outcome: 'failed', code: 'x', detail: 'x y', faults: [], faultCount: 0 };
    await thief.connection.jetstream().publish(`hf.reports.${own()}.${done.id}`, JSON.stringify(report));
    // A run made after it has been through the same consumer, so the forged report was judged before it.
    const next = await runTask(stack, done.task ?? '');
    expect((await runEvents(stack)).slice(before).filter((event) => event.aggregate_id !== next.id)).toEqual([]);
    expect(await stack.call('GET', `/api/v1/runs/${done.id}`)).toMatchObject({ status: 'succeeded' });
  });

  it('gets nothing of another node\'s run, even knowing its claim', async () => {
    const task = await stack.call<{ id: string }>('POST', '/api/v1/tasks', {
      name: 'of the neighbour', node: other(), target: (await stack.call<{ items: { id: string }[] }>('GET', '/api/v1/targets')).items[0]?.id, source: { type: 'files', paths: ['/etc'] },
    });
    const { id: run } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task.id}:run`);
    expect(await thief.ask('claim', { run, attempt: 1, instance: 'inst_of_a_thief' })).not.toMatchObject({ status: 'ok' });
    const claimed = await waitUntil(async () => {
      const answer = await neighbour.ask<ClaimGranted>('claim', { run, attempt: 1, instance: 'inst_neighbour' });
      return answer.status === 'ok' ? answer.value : undefined;
    });
    const holder = { run, attempt: 1, claim: claimed.claim };
    const objects = [{ access: 'write', name: `packs/00/${'0'.repeat(64)}`, size: 200, sha256: '0'.repeat(64) }];
    expect(await neighbour.ask<GrantAnswer>('grant', { holder, objects })).toMatchObject({ status: 'ok' });
    expect(await thief.ask('grant', { holder, objects })).toMatchObject({ status: 'stop', code: 'attempt-fenced' });
    expect(await thief.ask('claim', { run, attempt: 1, instance: 'inst_neighbour' })).not.toMatchObject({ status: 'ok' });
    const report = { protocol: 1, attempt: 1, claim: claimed.claim, outcome: 'failed', code: 'x', detail: 'x y', faults: [], faultCount: 0 };
    await thief.connection.jetstream().publish(`hf.reports.${own()}.${run}`, JSON.stringify(report));
    await runTask(stack, done.task ?? '');
    expect(await stack.call('GET', `/api/v1/runs/${run}`)).toMatchObject({ status: 'running' });
    await stack.call('POST', `/api/v1/runs/${run}:cancel`);
  });

  it('a grant of its own is for one object: it neither deletes nor overwrites nor reaches another repository', async () => {
    const { id: run } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${await addTask(stack, 'huge', [huge])}:run`);
    const started = await waitUntil(async () => (await runEvents(stack)).find((event) => event.aggregate_id === run && event.type === 'RunStarted'), 30_000);
    // The worst case: a claim that is alive, in the hands of who sits on the host during the run.
    const holder = { run, attempt: 1, claim: String(started.data['claim']) };
    const ask = (object: object) => thief.ask<GrantAnswer>('grant', { holder, objects: [object] });
    const [pack = ''] = filesBelow(join(repository, 'packs'));
    for (const name of ['../secret', `../${other()}/repository.json`, '/etc/passwd', 'packs/', 'anything', `packs/00/${'0'.repeat(64)}/../../x`]) {
      expect(await ask({ access: 'write', name, size: 1, sha256: '0'.repeat(64) }), name).toMatchObject({ status: 'refused' });
      expect(await ask({ access: 'read', name }), name).toMatchObject({ status: 'refused' });
    }
    expect(await ask({ access: 'read', name: pack.slice(repository.length + 1) })).toMatchObject({ status: 'refused' });
    const stored = readFileSync(pack);
    const sha256 = pack.slice(-64);
    const again = await ask({ access: 'write', name: pack.slice(repository.length + 1), size: stored.length, sha256 });
    if (again.status === 'ok') {
      const [grant] = again.value.grants;
      const use = (method: string, body?: Uint8Array) => fetch(grant?.url ?? '', { method, headers: grant?.headers ?? {}, ...(body ? { body: Buffer.from(body) } : {}) });
      expect((await use('PUT', stored)).status).toBe(412);
      expect((await use('PUT', Buffer.alloc(stored.length))).status).toBeGreaterThanOrEqual(400);
      for (const method of ['DELETE', 'GET', 'POST']) expect((await use(method)).status, method).toBeGreaterThanOrEqual(400);
    }
    expect(readFileSync(pack).equals(stored)).toBe(true);
    await stack.call('POST', `/api/v1/runs/${run}:cancel`);
    await runEnded(stack, run);
  });

  it('cannot stop the masters with what it says: text that no database keeps, no JSON, or much of it', async () => {
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${await addTask(stack, 'hostile', [join(huge, 'holes')], { retries: { max: 0 } })}:run`);
    const started = await waitUntil(async () => (await runEvents(stack)).find((event) => event.aggregate_id === id && event.type === 'RunStarted'), 30_000);
    const evil = 'a\0b\ud800c'.repeat(50);
    const faults = [{ path: evil, code: 'x', detail: evil }];
    const report = { protocol: 1, attempt: 1, claim: started.data['claim'], outcome: 'failed', code: 'x', detail: evil, faults, faultCount: 1 };
    const say = (subject: string, body: object | string) => thief.connection.publish(subject, typeof body === 'string' ? body : JSON.stringify(body));
    thief.beat(evil.slice(0, 60));
    for (const body of ['', 'no json', '[]', '{"__proto__":{}}', { a: evil }, '{"a":'.repeat(50_000), 'x'.repeat(900_000)]) {
      for (const subject of [`hf.heartbeat.${own()}`, `hf.progress.${own()}.${id}`, `hf.logs.${own()}.${id}`, `hf.ask.${own()}.claim`, `hf.ask.${own()}.sync`, `hf.ask.${own()}.nonsense`, `hf.reports.${own()}.${id}`]) {
        say(subject, body);
      }
    }
    say(`hf.progress.${own()}.${id}`, { attempt: 1, phase: evil, files: 1, bytes: 1, storedBytes: 1, elapsedMs: 1, faults: 0, current: evil });
    await thief.connection.jetstream().publish(`hf.reports.${own()}.${id}`, JSON.stringify(report));
    expect(await runEnded(stack, id)).toMatchObject({ status: 'failed', faultCount: 1 });
    expect((await runTask(stack, done.task ?? '')).status).toBe('succeeded');
    expect(await stack.call('GET', '/api/status')).toMatchObject({ success: true });
  });

  it('is cut off at once when its node is revoked, and stays out', async () => {
    const closed = thief.connection.closed();
    expect((await cli(stack, ['nodes', 'revoke', stack.node], access)).code).toBe(0);
    await closed;
    await expect(BusSpeaker.connect(thief.access)).rejects.toThrow(/auth/i);
  });
});
