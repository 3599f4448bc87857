import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, counted, fault, parseTime } from '#kernel';
import { compareTrees } from '#sources';
import type { ApiClient } from '../api-client.ts';
import { humanBytes, printable } from '../format.ts';
import type { Output } from '../output.ts';
import { followRun } from '../runs/follow-run.ts';
import type { RunView } from '../runs/run-view.ts';
import type { Stack } from '../up/stack.ts';

/** The last line of a quick start. */
export interface QuickstartSummary {
  readonly snapshot_id: string;
  readonly files: number;
  readonly dirs: number;
  readonly bytes: number;
  readonly stored_bytes: number;
  readonly added_bytes: number;
  readonly backup_seconds: number;
  readonly restore_seconds: number;
  readonly restored_path: string;
  readonly identical: boolean;
}

const secondsOf = (run: RunView): number =>
  run.startedAt && run.finishedAt ? (parseTime(run.finishedAt) - parseTime(run.startedAt)) / 1000 : 0;

/** The task for these paths: the one of an earlier quick start, or a new one. */
const ensureTask = async (api: ApiClient, node: string, paths: readonly string[]): Promise<string> => {
  const name = `quickstart-${createHash('sha256').update(paths.join('\0')).digest('hex').slice(0, 8)}`;
  const existing = (await api.all<{ readonly id: string; readonly name: string }>('/api/v1/tasks')).find((task) => task.name === name);
  if (existing) return existing.id;
  const targets = await api.all<{ readonly id: string; readonly name: string }>('/api/v1/targets');
  const target = targets.find((candidate) => candidate.name === 'builtin') ?? targets[0];
  if (!target) throw fault('not-found', 'no-target', 'There is no target to back up to; add one with holdfast targets add');
  const task = await api.post<{ readonly id: string }>('/api/v1/tasks', {
    name, node, target: target.id, source: { type: 'files', paths, excludeCaches: false }, retention: { keepLast: 10 },
  });
  return task.id;
};

const finished = (run: RunView): RunView => {
  if (run.status === 'succeeded' || run.status === 'partial') return run;
  throw fault('refused', run.code ?? `run-${run.status}`, `The ${run.kind} ended ${run.status}: ${run.detail ?? 'no reason was given'}`);
};

/** Compares what was restored with the paths themselves, entry by entry; the first differences are shown. */
const isIdentical = async (paths: readonly string[], restored: string, output: Output): Promise<boolean> => {
  let identical = true;
  for (const path of paths) {
    const comparison = await compareTrees(path, join(restored, path));
    for (const difference of comparison.differences.slice(0, 20)) output.note(`differs: ${printable(difference.path.toString())}: ${difference.kind}: ${difference.detail}`);
    identical &&= comparison.identical;
  }
  return identical;
};

/** Backs the paths up through the running stack, restores the snapshot into a scratch directory and compares. */
export const quickstart = async (stack: Stack, givenPaths: readonly string[], output: Output, clock: Clock): Promise<QuickstartSummary> => {
  const paths = givenPaths.map((path) => realpathSync(path));
  const task = await ensureTask(stack.api, stack.node, paths);
  output.text(`Backing up ${paths.join(' ')} ...`);
  const { id } = await stack.api.post<{ readonly id: string }>(`/api/v1/tasks/${task}:run`);
  const backup = finished(await followRun(stack.api, id, output, clock));
  const snapshot = backup.snapshot;
  if (!snapshot || !backup.statistics) throw fault('internal', 'no-snapshot', 'The backup ended without a snapshot');

  const restored = join(stack.layout.data, 'restored');
  rmSync(restored, { recursive: true, force: true });
  mkdirSync(restored, { mode: 0o755 });
  output.text(`Restoring ${snapshot} into ${restored} ...`);
  const restoreRun = await stack.api.post<{ readonly id: string }>(`/api/v1/snapshots/${snapshot}:restore`, { node: stack.node, destination: restored, mode: 'always' });
  const restore = finished(await followRun(stack.api, restoreRun.id, output, clock));

  output.text('Comparing entry by entry ...');
  const identical = await isIdentical(paths, restored, output);
  const { statistics } = backup;
  output.text(identical ? `Identical: ${counted(statistics.files, 'file')}, ${humanBytes(statistics.bytes)}.` : 'NOT identical; the differences are above.');
  return {
    snapshot_id: snapshot, files: statistics.files, dirs: statistics.directories, bytes: statistics.bytes,
    stored_bytes: statistics.storedBytes, added_bytes: statistics.addedBytes, backup_seconds: secondsOf(backup),
    restore_seconds: secondsOf(restore), restored_path: restored, identical,
  };
};
