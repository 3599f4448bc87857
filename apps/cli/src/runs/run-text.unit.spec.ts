import { expect, it } from 'vitest';
import { kindText, runText, runsTable } from './run-text.ts';
import type { RunView } from './run-view.ts';

const names = new Map([['node_1', 'db-1']]);
const run: RunView = {
  id: 'run_1', kind: 'backup', status: 'partial', node: 'node_1', task: 'task_1', taskName: 'nightly', cause: 'schedule',
  requestedAt: '2026-11-21T03:00:00.000Z', startedAt: '2026-11-21T03:00:01.000Z', finishedAt: '2026-11-21T03:01:05.000Z', code: 'entries-failed',
  detail: 'One entry could not be read', snapshot: 'snap_1', faultCount: 1, faults: [{ path: '/srv/\u001b[2Jx', code: 'vanished', detail: 'It was gone' }],
  statistics: { files: 3, directories: 1, others: 0, bytes: 2048, filesRead: 3, bytesRead: 2048, addedBytes: 1024, storedBytes: 512 },
  attempts: [{ attempt: 1, status: 'ended', startedAt: '2026-11-21T03:00:01.000Z', endedAt: '2026-11-21T03:01:05.000Z' }],
};

it('a list of runs names the task and the node, and says how long each took and why it ended so', () => {
  const removed: RunView = { id: 'run_2', kind: 'backup', status: 'queued', node: 'node_gone', requestedAt: '2026-11-21T04:00:00.000Z', waitingReason: 'The node is offline' };
  const lines = runsTable([run, removed], names).split('\n');
  expect(lines[0]).toMatch(/^ID +TASK +NODE +KIND +STATUS +REQUESTED +TOOK +WHY$/);
  expect(lines[1]).toMatch(/^run_1 +nightly +db-1 +backup +partial +2026-11-21T03:00:00.000Z +1m 04s +One entry could not be read \[entries-failed\]$/);
  expect(lines[2]).toMatch(/^run_2 +node_gone +backup +queued +2026-11-21T04:00:00.000Z +The node is offline$/);
});

it('one run is shown with its attempts and every fault, and a path cannot move the cursor', () => {
  const text = runText(run, names);
  expect(text).toMatch(/^id +run_1\ntask +nightly\n/);
  expect(text).toContain('3 files, 1 directory, 2.00 KiB; 1.00 KiB new, 512 B stored');
  expect(text).toMatch(/attempt +1 ended 2026-11-21T03:00:01.000Z for 1m 04s\n/);
  expect(text).toContain('/srv/\\x1b[2Jx: It was gone [vanished]');
});

it('a verification names its level', () => {
  expect(kindText({ kind: 'verify', plan: { level: '2c' } })).toBe('verify at level 2c (closed)');
  expect(kindText({ kind: 'backup', plan: {} })).toBe('backup');
});

it('a parent run is shown by the labels of its nodes and how its children stand', () => {
  const text = runText({
    id: 'run_3', kind: 'backup', status: 'running', requestedAt: '2026-11-21T03:00:00.000Z', place: 'all', selector: { site: 'a' },
    children: { total: 2, byStatus: { running: 1, succeeded: 1 } },
  }, names);
  expect(text).toMatch(/node +all site=a\n/);
  expect(text).toMatch(/children +backup running +2 nodes: 1 running, 1 succeeded/);
});
