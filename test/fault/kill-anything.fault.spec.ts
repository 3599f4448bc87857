import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { query } from '../support/archive.ts';
import { EmbeddedStack, parts } from '../support/embedded-stack.ts';
import { checkHistories } from '../support/history.ts';
import { type RunView, addTask, restoreTo, runEnded } from '../support/runs.ts';

/** How long the campaign may go on (its slice in the full test is short), and how many runs it makes at most. */
const budgetMs = Number(process.env['HOLDFAST_FAULT_SECONDS'] ?? 1500) * 1000;
const wantedRuns = Number(process.env['HOLDFAST_FAULT_RUNS'] ?? 50);
const seed = Number(process.env['HOLDFAST_FAULT_SEED'] ?? Date.now() % 1_000_000);

/** A small generator with a printed seed, so that a campaign that failed can be repeated (mulberry32, public domain). */
const randomFrom = (start: number) => {
  let state = start;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const random = randomFrom(seed);
let stack: EmbeddedStack;
let room: string;

beforeAll(async () => {
  room = mkdtempSync(join(tmpdir(), 'holdfast-fault-'));
  stack = await EmbeddedStack.start(join(room, 'data'));
}, 180_000);

afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 120_000);

const makeTree = (tree: string): void => {
  for (let directory = 0; directory < 40; directory++) {
    mkdirSync(join(tree, `d${directory}`), { recursive: true });
    for (let file = 0; file < 50; file++) {
      const size = Math.floor(random() ** 4 * 400_000);
      writeFileSync(join(tree, `d${directory}`, `f${file}`), Buffer.alloc(size, `${directory}/${file} ${random()} `));
    }
  }
};

const change = (tree: string): void => {
  for (let i = 0; i < 20; i++) appendFileSync(join(tree, `d${Math.floor(random() * 40)}`, `f${Math.floor(random() * 50)}`), `changed ${random()}`);
};

/** One run, with one process killed at a random moment of it. */
const runAndKill = async (task: string): Promise<RunView> => {
  const { id } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
  await delay(random() * 1500);
  stack.kill(parts[Math.floor(random() * parts.length)] ?? 'agent');
  return runEnded(stack, id, 240_000);
};

it('whatever is killed, every run ends truthfully, no claim is doubled, and every recorded snapshot verifies and restores identical', async () => {
  const tree = join(room, 'tree');
  makeTree(tree);
  const task = await addTask(stack, 'campaign', [tree], { retries: { max: 2, delaySeconds: 0 } });
  const started = performance.now();
  const copies = new Map<string, string>();
  const runs: RunView[] = [];
  while (runs.length < wantedRuns && (runs.length < 3 || performance.now() - started < budgetMs)) {
    const run = await runAndKill(task);
    runs.push(run);
    if (run.snapshot && run.status === 'succeeded') {
      copies.set(run.snapshot, join(room, `copy-${runs.length}`));
      if (copies.size > 3) copies.delete([...copies.keys()][0] ?? '');
      cpSync(tree, join(room, `copy-${runs.length}`), { recursive: true, preserveTimestamps: true });
    }
    change(tree);
  }
  const counts = Object.entries(Object.groupBy(runs, (run) => run.status)).map(([status, some]) => `${some?.length} ${status}`);
  console.log(`seed ${seed}: ${runs.length} runs: ${counts.join(', ')}`);
  for (const run of runs) if (run.status !== 'succeeded') expect(run.code, `${run.id} ${run.status}`).toBeTruthy();
  expect(runs.filter((run) => run.status === 'succeeded').length).toBeGreaterThan(0);

  await checkHistories(stack);

  for (const [snapshot, copy] of copies) {
    const destination = join(room, `restored-${snapshot}`);
    mkdirSync(destination);
    expect((await restoreTo(stack, snapshot, destination)).status).toBe('succeeded');
    expect(await compareTrees(copy, join(destination, tree), { owners: true, top: false })).toMatchObject({ identical: true });
    rmSync(destination, { recursive: true });
  }
  for (const { id } of await query<{ id: string }>(stack, 'select id from read.snapshots')) {
    const { id: run } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/snapshots/${id}:verify`, { level: '3' });
    expect(await runEnded(stack, run)).toMatchObject({ status: 'succeeded' });
  }
});
