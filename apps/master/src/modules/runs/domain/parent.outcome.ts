import { unreachable } from '#kernel';
import type { ParentEnd, ParentRunEnded } from './parent.events.ts';
import type { TerminalStatus } from './run.state.ts';

/** How a parent ends. */
export type ParentOutcome = ParentRunEnded['data'];

interface Tally {
  readonly succeeded: number;
  readonly partial: number;
  /** Failed, timed out or lost. */
  readonly failed: number;
  readonly skipped: number;
  readonly cancelled: number;
  readonly notStarted: number;
  readonly all: number;
}

const tally = (statuses: readonly TerminalStatus[], notStarted: number): Tally => {
  const of = (...wanted: readonly TerminalStatus[]): number => statuses.filter((status) => wanted.includes(status)).length;
  return {
    succeeded: of('succeeded'), partial: of('partial'), failed: of('failed', 'timed-out', 'lost'), skipped: of('skipped'), cancelled: of('cancelled'),
    notStarted, all: statuses.length + notStarted,
  };
};

/** One failure among successes is no success; children that were skipped by the task's own rules are no failure. */
const endOf = ({ succeeded, partial, failed, skipped, cancelled, notStarted }: Tally, cancelling: boolean): ParentEnd => {
  const stopped = cancelled + notStarted;
  if (cancelling && (stopped > 0 || succeeded + partial + failed + skipped === 0)) return 'cancelled';
  if (partial > 0 || (succeeded > 0 && failed + stopped > 0)) return 'partial';
  if (failed > 0) return 'failed';
  if (stopped > 0) return 'cancelled';
  return succeeded > 0 ? 'succeeded' : 'skipped';
};

const reasonOf = ({ succeeded, partial, failed, skipped, cancelled, notStarted, all }: Tally, end: ParentEnd) => {
  const parts = Object.entries({ succeeded, partial, failed, skipped, cancelled, 'not started': notStarted })
    .flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  const detail = `Of ${all} run(s): ${parts.join(', ')}`;
  switch (end) {
    case 'succeeded':
      return skipped > 0 ? { code: 'children-skipped', detail } : {};
    case 'partial':
      return { code: 'children-incomplete', detail };
    case 'failed':
      return { code: 'children-failed', detail };
    case 'skipped':
      return { code: 'children-skipped', detail };
    case 'cancelled':
      return all === 0 ? {} : { code: 'children-cancelled', detail };
    default:
      return unreachable(end, 'end of a parent run');
  }
};

/** The one end of a parent whose children have all ended, but for `notStarted` that never will. */
export const parentOutcome = (statuses: readonly TerminalStatus[], { notStarted, cancelling }: { notStarted: number; cancelling: boolean }): ParentOutcome => {
  const counted = tally(statuses, notStarted);
  const status = endOf(counted, cancelling);
  const counts = Object.fromEntries([...Map.groupBy(statuses, (one) => one)].map(([one, of]) => [one, of.length]));
  return { status, counts: notStarted > 0 ? { ...counts, 'not-started': notStarted } : counts, ...reasonOf(counted, status) };
};
