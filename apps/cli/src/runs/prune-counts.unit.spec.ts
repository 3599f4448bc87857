import { expect, it } from 'vitest';
import { pruneText, prunedRepository } from './prune-counts.ts';
import type { RunView } from './run-view.ts';

const counts = { storedBytes: 3 * 1024 ** 2, livePlainBytes: 9 * 1024 ** 2, keptPlainBytes: 12 * 1024 ** 2, compactableBytes: 768 * 1024 };
const run: RunView = { id: 'run_1', kind: 'prune', status: 'succeeded', requestedAt: '2026-11-21T03:00:00.000Z', target: 'target_a', plan: { ofNode: 'node_a', dryRun: false } };
const asked: string[] = [];
const api = { all: async (path: string) => { asked.push(path); return [counts]; } } as unknown as Parameters<typeof prunedRepository>[0];

it('what a prune leaves is told in words, and nothing where nothing was counted', () => {
  expect(pruneText(counts)).toBe('3.00 MiB stored for 9.00 MiB that snapshots need, compaction could free about 768.0 KiB');
  expect(pruneText({})).toBeUndefined();
});

it('only a prune that deleted has numbers, and that they cannot be had changes nothing', async () => {
  expect(await prunedRepository(api, run)).toEqual(counts);
  expect(asked).toEqual(['/api/v1/repositories?node=node_a&target=target_a']);
  for (const other of [{ status: 'failed' }, { kind: 'backup' }, { plan: { ofNode: 'node_a', dryRun: true } }]) expect(await prunedRepository(api, { ...run, ...other })).toBeUndefined();
  expect(await prunedRepository({ all: async () => { throw new Error('gone'); } } as unknown as typeof api, run)).toBeUndefined();
});
