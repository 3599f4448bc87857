import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BrowseAnswer, DiscoverAnswer, parseMessage } from '#contracts';
import { newAgeKey, nkeyFromSeed } from '#identity';
import { randomIds, silentLogger, systemClock } from '#kernel';
import { newRpcClient } from '#messaging';
import { waitUntil } from '#testing';
import { type FakeMaster, withMaster } from '../fake-master/testing.ts';
import { serve } from '../serve.ts';
import { backupSpecification, childEnvironment, runId } from '../testing.ts';

let master: FakeMaster;
let dir: string;
let close: () => Promise<void>;
let key: string;
let stop: () => Promise<void>;

const start = async (browse: readonly string[] = ['all']): Promise<void> => {
  const end = new AbortController();
  const config = { stateDir: join(dir, 'state'), heapMb: 256, trialSeconds: 120, browse, network: { direct: [], mayBeInsecure: false }, log: { level: 'info' } } as const;
  const served = serve({ config, clock: systemClock, logger: silentLogger, environment: childEnvironment, signal: end.signal });
  served.catch(() => undefined);
  stop = async () => {
    end.abort(new Error('end'));
    await served.catch(() => undefined);
  };
  await waitUntil(() => ask('browse', { path64: slash, limit: 1 }).then(() => true, (error: { code?: string }) => error.code === 'browse-not-allowed'));
};
const slash = Buffer.from('/').toString('base64');
const ask = (method: 'browse' | 'discover', params: object) => newRpcClient(master.bus, master.key, randomIds).call(master.node, method, params, { keys: [key], timeoutMs: 10_000 });
const browse = async (path: string, more: object = {}): Promise<BrowseAnswer> => {
  const parsed = parseMessage(BrowseAnswer, await ask('browse', { path64: Buffer.from(path).toString('base64'), limit: 100, ...more }));
  if (!parsed.ok) throw new Error(parsed.error.detail);
  return parsed.value;
};

beforeEach(async () => {
  ({ master, dir, close } = await withMaster());
  const { natsSeed } = await master.enrol(join(dir, 'state'));
  key = nkeyFromSeed('user', natsSeed).publicKey;
  stop = async () => undefined;
});
afterEach(async () => {
  await stop();
  await close();
});

it('lists directories while a backup runs, in pages, with names as they are', async () => {
  const tree = join(dir, 'tree');
  mkdirSync(tree);
  writeFileSync(join(tree, 'big'), '');
  truncateSync(join(tree, 'big'), 64 * 1024 ** 3);
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x7a, 0xff])]), 'x');
  const recipient = (await newAgeKey()).recipient;
  const plan = backupSpecification([tree]);
  master.specification = () => ({ ...plan, repository: { ...plan.repository, dataRecipients: [recipient] } });
  await start();
  await master.command(runId(1));
  await waitUntil(() => master.heard.progress.length > 0);
  expect(await browse(tree)).toMatchObject({
    total: 2, entries: [{ name: 'big', type: 'file', size: 64 * 1024 ** 3 }, { name64: Buffer.from([0x7a, 0xff]).toString('base64'), type: 'file', size: 1 }],
  });
  const first = await browse(tree, { limit: 1 });
  expect((await browse(tree, { limit: 1, after64: first.next64 })).entries).toMatchObject([{ name64: expect.any(String) as string }]);
  expect(await browse(join(tree, 'big'))).toEqual(expect.objectContaining({ entries: [], error: 'ENOTDIR' }));
  const said = master.heard.progress.length;
  await waitUntil(() => master.heard.progress.length > said);
  const discoveries = parseMessage(DiscoverAnswer, await ask('discover', {}));
  expect(discoveries.ok).toBe(true);
});

it('refuses what is no request, and the agent goes on', async () => {
  await start();
  for (const params of [{}, { path64: slash }, { path64: slash, limit: 0 }, { path64: '%', limit: 1 }, { path64: slash, limit: 1, more: 1 }]) {
    await expect(ask('browse', params), JSON.stringify(params)).rejects.toMatchObject({ code: 'invalid-message', retryable: false });
  }
  for (const path of ['etc', '/etc/../root', '/a\0b']) await expect(browse(path), path).rejects.toMatchObject({ code: 'path-invalid' });
  expect((await browse('/')).total).toBeGreaterThan(0);
});

it('shows no more than its host allows', async () => {
  mkdirSync(join(dir, 'shown'));
  await start([join(dir, 'shown')]);
  expect((await browse(join(dir, 'shown'))).error).toBeUndefined();
  for (const path of ['/', '/etc', dir]) await expect(browse(path), path).rejects.toMatchObject({ code: 'browse-not-allowed', retryable: false });
  await expect(ask('discover', {})).rejects.toMatchObject({ code: 'browse-not-allowed' });
});
