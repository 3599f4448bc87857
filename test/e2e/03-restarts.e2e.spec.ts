import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { runEvents } from '../support/archive.ts';
import { EmbeddedStack, type StackPart } from '../support/embedded-stack.ts';
import { checkHistories, eventTypes } from '../support/history.ts';
import { type RunView, addTask, restoreTo, runEnded } from '../support/runs.ts';
import { slowTree, stirIslands } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-restarts-'));
const tree = join(room, 'tree');
let stack: EmbeddedStack;
let task: string;

beforeAll(async () => {
  slowTree(tree, 1);
  stack = await EmbeddedStack.start(join(room, 'data'));
  task = await addTask(stack, 'slow', [tree], { retries: { max: 1, delaySeconds: 0 } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

const show = (id: string): Promise<RunView> => stack.callPatiently<RunView>('GET', `/api/v1/runs/${id}`);

/** Starts a run and resolves when its data plane reads contents. */
const inMidRun = async (): Promise<string> => {
  stirIslands(tree);
  const { id } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
  await waitUntil(async () => (await show(id)).progress?.phase === 'content', 60_000);
  return id;
};

/** The end that a run must come to, whatever happened meanwhile. */
const endsWell = async (id: string): Promise<RunView> => {
  const run = await runEnded(stack, id, 120_000);
  expect(run).toMatchObject({ status: 'succeeded', faults: [], snapshot: expect.stringMatching(/^snap_/) as string });
  const types = await eventTypes(stack, id);
  expect(types.filter((type) => type === 'SnapshotRecorded')).toHaveLength(1);
  expect(types.filter((type) => type === 'RunSucceeded')).toHaveLength(1);
  expect(types.at(-1)).toBe('RunSucceeded');
  await checkHistories(stack);
  return run;
};

const isRestorable = async (snapshot: string): Promise<void> => {
  const destination = join(room, `restored-${snapshot}`);
  mkdirSync(destination);
  expect(await restoreTo(stack, snapshot, destination, { path: join(tree, 'solid') })).toMatchObject({ status: 'succeeded' });
  expect(await compareTrees(join(tree, 'solid'), destination, { owners: true, top: false })).toMatchObject({ identical: true });
  rmSync(destination, { recursive: true });
};

const isBack = (part: StackPart, pid: number | undefined) => waitUntil(() => stack.pidOf(part) !== undefined && stack.pidOf(part) !== pid, 60_000);

describe('in the middle of a run', () => {
  it('a master that is killed loses nothing: the run goes on under its claim and ends', async () => {
    const id = await inMidRun();
    const pid = stack.pidOf('master');
    stack.kill('master');
    await isBack('master', pid);
    const run = await endsWell(id);
    expect((await eventTypes(stack, id)).filter((type) => type === 'RunStarted')).toHaveLength(1);
    await isRestorable(run.snapshot ?? '');
  });

  it('an agent that is killed resumes the run: one snapshot, never two live claims', async () => {
    const id = await inMidRun();
    const pid = stack.pidOf('agent');
    stack.kill('agent');
    await isBack('agent', pid);
    const run = await endsWell(id);
    await isRestorable(run.snapshot ?? '');
  });

  it('a bus that is frozen for a while loses nothing: the report arrives when it is back', async () => {
    const id = await inMidRun();
    stack.pause('nats');
    try {
      // Long enough for both ends to know that nobody answers.
      await waitUntil(async () => (await fetch(new URL('/api/status', stack.announcement.url))).status === 503, 60_000);
    } finally {
      stack.resume('nats');
    }
    await endsWell(id);
    expect((await eventTypes(stack, id)).filter((type) => type === 'RunStarted')).toHaveLength(1);
  });

  it('a bus that is killed loses nothing', async () => {
    const id = await inMidRun();
    const pid = stack.pidOf('nats');
    stack.kill('nats');
    await isBack('nats', pid);
    await endsWell(id);
  });

  it('a database that is killed loses nothing', async () => {
    const id = await inMidRun();
    const pid = stack.pidOf('postgres');
    stack.kill('postgres');
    await isBack('postgres', pid);
    await endsWell(id);
  });

  it('a run that is asked to end while its master is away is cancelled as soon as one is there, and its agent stops', async () => {
    const id = await inMidRun();
    const pid = stack.pidOf('agent');
    stack.pause('agent');
    try {
      expect(await stack.call('POST', `/api/v1/runs/${id}:cancel`)).toMatchObject({ status: 'cancel-requested' });
      const pidOfMaster = stack.pidOf('master');
      stack.kill('master');
      await isBack('master', pidOfMaster);
    } finally {
      process.kill(pid ?? 0, 'SIGCONT');
    }
    expect(await runEnded(stack, id)).toMatchObject({ status: 'cancelled' });
    await checkHistories(stack);
  });
});

it('when everything is killed at once, the next start goes on with the run', async () => {
  const id = await inMidRun();
  for (const part of ['agent', 'master', 'nats', 'postgres'] as const) stack.kill(part);
  const run = await endsWell(id);
  await isRestorable(run.snapshot ?? '');
  const events = await runEvents(stack);
  expect(new Set(events.map(({ sequence }) => sequence)).size).toBe(events.length);
});
