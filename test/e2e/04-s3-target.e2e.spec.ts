import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { type TestS3, s3Program, startS3 } from '#testing';
import { query } from '../support/archive.ts';
import { accessOf, cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { addTask, restoreTo, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const bucket = 'holdfast-story';
const prefix = 'fleet/';
const room = mkdtempSync(join(tmpdir(), 'holdfast-s3-'));

describe.runIf(s3Program())('a target in an S3 bucket', () => {
  let s3: TestS3;
  let stack: EmbeddedStack;
  let client: S3Client;
  let access: Record<string, string>;
  let target: string;
  let snapshot: string;
  const tree = join(room, 'tree');

  beforeAll(async () => {
    smallTree(tree);
    s3 = await startS3();
    client = new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3.credentials, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    stack = await EmbeddedStack.start(join(room, 'data'));
    access = { ...(await accessOf(stack)), HOLDFAST_S3_SECRET: s3.credentials.secretAccessKey };
  }, 120_000);
  afterAll(async () => {
    await stack?.stop();
    client?.destroy();
    await s3?.stop();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  const objects = async (): Promise<string[]> => ((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).Contents ?? []).map(({ Key }) => Key ?? '');

  it('is added with its secret from the environment, and the secret is never shown again', async () => {
    const { code, out, words } = await cli(stack, [
      'targets', 'add', 'bucket', '--s3', s3.endpoint, '--bucket', bucket, '--prefix', prefix, '--access-key', s3.credentials.accessKeyId, '--json',
    ], access);
    expect({ code, words }).toEqual({ code: 0, words: '' });
    target = String(messagesOf(out)[0]?.['id']);
    const shown = await stack.call<{ kind: string; s3: object }>('GET', `/api/v1/targets/${target}`);
    expect(shown).toMatchObject({ kind: 's3', s3: { bucket, prefix, accessKeyId: s3.credentials.accessKeyId } });
    expect(JSON.stringify(shown)).not.toContain(s3.credentials.secretAccessKey);
  });
  it('is tested: writes straight to it are trusted where it refuses wrong bytes and second writes, else the relay is used', async () => {
    const { code, out } = await cli(stack, ['targets', 'test', 'bucket', '--json'], access);
    expect(code).toBe(0);
    expect(messagesOf(out)[0]).toMatchObject({ passed: true, access: s3.conditionalWrites ? 'direct' : 'relay' });
    expect(await objects()).toEqual([]);
  });
  it('takes a backup whose objects are named as the format says, each with the hash of its bytes', async () => {
    const run = await runTask(stack, await addTask(stack, 'to s3', [tree], { target }));
    expect(run).toMatchObject({ status: 'succeeded', faults: [] });
    snapshot = run.snapshot ?? '';
    const names = await objects();
    const hash = '[0-9a-f]{64}';
    const form = new RegExp(`^${prefix}\\w+/(repository\\.json|(id-key|keys|catalog-keys)/[0-9a-f]{32}/${hash}|packs/[0-9a-f]{2}/${hash}|indexes/${hash}|key-bundles/${hash}|snapshots/snap_\\w{20}/${hash})$`);
    expect(names.filter((name) => !form.test(name))).toEqual([]);
    for (const part of ['repository.json', 'id-key/', 'keys/', 'catalog-keys/', 'packs/', `snapshots/${snapshot}/`]) {
      expect(names.some((name) => name.includes(`/${part}`)), part).toBe(true);
    }
  });
  it.runIf(s3Program() !== 'swift')('is written to by the agent itself: nothing of it passes through the master', async () => {
    const log = readFileSync(join(stack.data, 'logs', 'master.log'), 'utf8');
    expect(log).not.toContain('/relay/');
    expect(readdirSync(join(stack.data, 'objects')).flatMap((name) => (name === 'targets' ? readdirSync(join(stack.data, 'objects', name)) : []))).toEqual([]);
  });
  it('never gives its credential to the agent, an event, or a log', async () => {
    const secret = s3.credentials.secretAccessKey;
    const places = ['agent', 'logs', 'nats'].map((folder) => join(stack.data, folder));
    expect(spawnSync('grep', ['-rlaF', '--', secret, ...places], { encoding: 'utf8' }).stdout).toBe('');
    expect(await query(stack, `select sequence from archive.events where data::text like '%${secret}%'`)).toEqual([]);
  });
  it('gives the snapshot back identical', async () => {
    const destination = join(room, 'restored');
    mkdirSync(destination);
    expect(await restoreTo(stack, snapshot, destination)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(destination, tree), { owners: true, top: false })).toMatchObject({ identical: true });
  });
  it('is proven intact to level 3', async () => {
    expect((await cli(stack, ['verify', snapshot, '--level', '3', '--follow'], access)).code).toBe(0);
  });
  it.each([
    ['a wrong secret', { HOLDFAST_S3_SECRET: 'wrong' }, bucket],
    ['a bucket that is not there', {}, 'no-such-bucket'],
  ])('that has %s fails its test with a reason', async (name, wrong, place) => {
    const add = await cli(stack, ['targets', 'add', name, '--s3', s3.endpoint, '--bucket', place, '--access-key', s3.credentials.accessKeyId], { ...access, ...wrong });
    expect(add.code).toBe(0);
    const { items } = await stack.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/targets');
    const id = items.find((item) => item.name === name)?.id;
    const test = await stack.call<{ passed: boolean; steps: { passed: boolean; detail?: string }[] }>('POST', `/api/v1/targets/${id}:test`);
    expect(test.passed).toBe(false);
    expect(test.steps.find((step) => !step.passed)?.detail).toMatch(/\w+ \w+/);
  });
});
