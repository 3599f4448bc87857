import { describe, expect, it } from 'vitest';
import { projectionSpecification } from '#projections/testing';
import type { RunEvent, RunRequested } from '../../domain/run.events.ts';
import { runRows } from './run.projection.ts';

const requested: RunRequested = {
  type: 'RunRequested',
  data: {
    plan: { kind: 'backup', source: { type: 'files', paths: ['/srv'] } }, node: 'node_a', target: 'target_a', repository: 'repo_a', task: 'task_a', cause: 'user',
    timeoutSeconds: 60, retries: { max: 1, delaySeconds: 1 },
  },
};
const dispatched = (attempt: number): RunEvent => ({ type: 'RunDispatched', data: { attempt, deadline: '2026-01-01T00:01:00.000Z' } });
const started = (attempt: number): RunEvent => ({
  type: 'RunStarted', data: { attempt, claim: `c${attempt}`, instance: 'i', time: '2026-01-01T00:00:01.000Z', deadline: '2026-01-01T01:00:00.000Z', generation: 0 },
});
const end = { attempt: 1, claim: 'c1', late: false, faults: [], faultCount: 0 };
const row = (...events: RunEvent[]) =>
  projectionSpecification(runRows).given(...events.map((event) => ({ aggregate: { type: 'run', id: 'run_1' }, event }))).get('run_1');

describe('the row of a run', () => {
  it('shows attempts in their order with how each ended', () => {
    const shown = row(requested, dispatched(1), { type: 'RunReturned', data: { attempt: 1, code: 'not-claimed', detail: 'x' } }, dispatched(2), started(2));
    expect(shown).toMatchObject({ status: 'running', attempt: 2, attempts: [{ attempt: 1, status: 'returned', code: 'not-claimed' }, { attempt: 2, status: 'running' }], revision: 5 });
  });
  it('of a failure that is tried again waits, and shows how the attempt ended', () => {
    const failed: RunEvent = { type: 'RunFailed', data: { ...end, code: 'x', detail: 'y', again: true } };
    expect(row(requested, dispatched(1), started(1), failed)).toMatchObject({ status: 'failed', code: 'x' });
    const retried: RunEvent = { type: 'RunRetried', data: { notBefore: '2026-01-01T00:05:00.000Z', automatic: true } };
    expect(row(requested, dispatched(1), started(1), failed, retried)).toMatchObject({ status: 'queued', endedAt: null, claim: null, attempts: [{ status: 'failed', code: 'x' }] });
  });
  it('has its snapshot', () => {
    const recorded: RunEvent = {
      type: 'SnapshotRecorded',
      data: {
        attempt: 1, claim: 'c1', snapshot: 'snap_1', object: 'o', size: 1, repositoryId: 'r', idKeyId: 'k', keys: [], packs: 0, node: 'node_a', target: 'target_a',
        repository: 'repo_a', time: '2026-01-01T00:00:01.000Z', partial: false, late: false,
      },
    };
    expect(row(requested, dispatched(1), started(1), recorded)).toMatchObject({ status: 'running', snapshot: 'snap_1' });
    expect(row(requested, dispatched(1), started(1), recorded, { type: 'RunSucceeded', data: end })).toMatchObject({ status: 'succeeded', snapshot: 'snap_1', deadline: null });
  });
  it('marks the attempt that a late success made pointless', () => {
    const lost: RunEvent = { type: 'RunLost', data: { attempt: 1, code: 'x', detail: 'y', again: true } };
    const late: RunEvent = { type: 'RunSucceeded', data: { ...end, late: true } };
    expect(row(requested, dispatched(1), started(1), lost, dispatched(2), late)).toMatchObject({
      status: 'succeeded', attempts: [{ status: 'succeeded', late: true }, { status: 'superseded' }],
    });
  });
});
