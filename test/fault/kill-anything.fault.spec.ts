import { createHash } from 'node:crypto';
import { appendFileSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
let passed = false;

beforeAll(async () => {
  room = mkdtempSync(join(tmpdir(), 'holdfast-fault-'));
  stack = await EmbeddedStack.start(join(room, 'data'));
}, 180_000);

afterAll(async () => {
  await stack?.stop();
  if (passed) rmSync(room, { recursive: true, force: true });
  else console.log(`seed ${seed}: what the stack left, logs included, is in ${room}`);
}, 120_000);

const makeTree = (tree: string): void => {
  for (let directory = 0; directory < 40; directory++) {
    mkdirSync(join(tree, `d${directory}`), { recursive: true });
    for (let file = 0; file < 50; file++) {
      const size = Math.floor(random() ** 4 * 200_000);
      writeFileSync(join(tree, `d${directory}`, `f${file}`), Buffer.alloc(size, `${directory}/${file} ${random()} `));
    }
  }
};

const change = (tree: string): void => {
  for (let i = 0; i < 20; i++) appendFileSync(join(tree, `d${Math.floor(random() * 40)}`, `f${Math.floor(random() * 50)}`), `changed ${random()}`);
};

/** What a restore must bring back. */
interface Sealed {
  /** Type, mode, owner and content. */
  readonly facts: string;
  readonly mtimeNs: bigint;
}

const seal = (tree: string): ReadonlyMap<string, Sealed> =>
  new Map(readdirSync(tree, { recursive: true, encoding: 'utf8' }).map((name) => {
    const path = join(tree, name);
    const { mode, uid, gid, mtimeNs } = lstatSync(path, { bigint: true });
    const content = lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
    return [name, { facts: `${mode} ${uid}:${gid} ${content}`, mtimeNs }];
  }));

/** A microsecond is as near as Node sets a time. */
const nearNs = 1_000n;

const differences = (before: ReadonlyMap<string, Sealed>, after: ReadonlyMap<string, Sealed>): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((name) => {
    const [one, two] = [before.get(name), after.get(name)];
    const apart = one && two ? one.mtimeNs - two.mtimeNs : nearNs + 1n;
    return one?.facts !== two?.facts || apart > nearNs || apart < -nearNs;
  });

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
  const seals = new Map<string, ReadonlyMap<string, Sealed>>();
  const runs: RunView[] = [];
  while (runs.length < wantedRuns && (runs.length < 3 || performance.now() - started < budgetMs)) {
    const run = await runAndKill(task);
    runs.push(run);
    if (run.snapshot) seals.set(run.snapshot, seal(tree));
    change(tree);
  }
  const counts = Object.entries(Object.groupBy(runs, (run) => run.status)).map(([status, some]) => `${some?.length} ${status}`);
  console.log(`seed ${seed}: ${runs.length} runs: ${counts.join(', ')}`);
  for (const run of runs) if (run.status !== 'succeeded') expect(run.code, `${run.id} ${run.status}`).toBeTruthy();
  expect(runs.filter((run) => run.status === 'succeeded').length).toBeGreaterThan(0);

  await checkHistories(stack);

  const recorded = await query<{ id: string }>(stack, 'select id from read.snapshots');
  expect(recorded.map(({ id }) => id).sort()).toEqual([...seals.keys()].sort());
  for (const [snapshot, sealed] of seals) {
    const destination = join(room, `restored-${snapshot}`);
    mkdirSync(destination);
    expect((await restoreTo(stack, snapshot, destination)).status).toBe('succeeded');
    expect(differences(sealed, seal(join(destination, tree))), snapshot).toEqual([]);
    rmSync(destination, { recursive: true });
    const { id: run } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/snapshots/${snapshot}:verify`, { level: '3' });
    expect(await runEnded(stack, run)).toMatchObject({ status: 'succeeded' });
  }
  passed = true;
});
