import type { DomainEvent } from '#event-store';
import type { RunStatistics } from '#contracts';
import { parseTime, unreachable } from '#kernel';
import { readModel } from '#projections';
import type { SnapshotEvent } from '../../domain/snapshot.ts';
import { SnapshotRow } from './snapshot.entity.ts';

/** The part of the run's `SnapshotRecorded` that is shown. */
type Recorded = DomainEvent<'SnapshotRecorded', {
  readonly snapshot: string; readonly object: string; readonly size: number; readonly node: string; readonly target: string; readonly repository: string;
  readonly task?: string; readonly taskName?: string; readonly time: string; readonly partial: boolean; readonly late: boolean;
  readonly statistics?: RunStatistics;
}>;

const recordedRow = (data: Recorded['data'], run: string): SnapshotRow => ({
  id: data.snapshot, run, node: data.node, target: data.target, repository: data.repository, task: data.task ?? null, taskName: data.taskName ?? null,
  time: new Date(parseTime(data.time)), object: data.object, size: data.size, partial: data.partial, late: data.late, statistics: data.statistics ?? null,
  held: false, heldReason: null, forgotten: false, verifiedLevel: null, verifiedAt: null, verifiedOutcome: null, revision: 0,
});

const evolveRow = (row: SnapshotRow, event: SnapshotEvent, at: string): SnapshotRow => {
  switch (event.type) {
    case 'SnapshotVerified':
      return { ...row, verifiedLevel: event.data.level, verifiedAt: new Date(parseTime(at)), verifiedOutcome: event.data.outcome };
    case 'SnapshotHeld':
      return { ...row, held: true, heldReason: event.data.reason };
    case 'SnapshotReleased':
      return { ...row, held: false, heldReason: null };
    case 'SnapshotForgotten':
      return { ...row, forgotten: true };
    default:
      return unreachable(event, 'snapshot event');
  }
};

/** Snapshots, from the run that recorded them and from what became of them. */
export const snapshotRows = readModel<SnapshotRow, Recorded | SnapshotEvent>({
  name: 'snapshots',
  entity: SnapshotRow,
  handles: ['SnapshotRecorded', 'SnapshotVerified', 'SnapshotHeld', 'SnapshotReleased', 'SnapshotForgotten'],
  keys: ({ event, aggregate }) => [event.type === 'SnapshotRecorded' ? event.data.snapshot : aggregate.id],
  evolve: (row, { event, aggregate, context, revision }) => {
    if (event.type === 'SnapshotRecorded') return recordedRow(event.data, aggregate.id);
    return row && { ...evolveRow(row, event, context.time), revision };
  },
});
