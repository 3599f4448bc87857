import { parseTime, unreachable } from '#kernel';
import type { Reason } from './run.events.ts';
import type { AwayRule } from './run.plan.ts';

/** The rule of a task for what is requested now (RFC 3339). */
export const awayRule = ({ offline, waitSeconds }: { readonly offline: AwayRule['rule']; readonly waitSeconds?: number }, now: string): AwayRule =>
  ({ rule: offline, since: now, ...(waitSeconds === undefined ? {} : { seconds: waitSeconds }) });

/** What a run is told of the rule: nothing where it waits as long as it takes. */
export const boundedAway = (away: AwayRule): { readonly away?: AwayRule } => (away.rule === 'wait' && away.seconds === undefined ? {} : { away });

/** How what waits for a node ends. */
export interface AbsenceEnd {
  readonly skipped: boolean;
  readonly reason: Reason;
}

/** When the rule ends what waits for a node, in milliseconds since 1970; undefined: never. */
export const absenceDue = ({ rule, since, seconds }: AwayRule): number | undefined => {
  if (rule !== 'wait') return 0;
  return seconds === undefined ? undefined : parseTime(since) + seconds * 1000;
};

/** Code of a run that came back from a node that was there. */
export const notClaimed = 'not-claimed';

/** Milliseconds that a run waits for an agent which is there and does not claim it, where the rule of its task has no bound of its own. */
const unclaimedMs = 86_400_000;

/** Whether what was sent to a node that is there, again and again, and never claimed, has waited long enough. A wait without bound never has. */
export const isNeverClaimed = (away: AwayRule | undefined, now: string): boolean =>
  away !== undefined && parseTime(now) >= parseTime(away.since) + (away.seconds === undefined ? unclaimedMs : away.seconds * 1000);

/** How it ends now (RFC 3339), as no node is there to begin it for this reason; undefined: it waits on. */
export const absenceEnd = (away: AwayRule | undefined, now: string, { code, detail }: Reason): AbsenceEnd | undefined => {
  const due = away && absenceDue(away);
  if (!away || due === undefined || due > parseTime(now)) return undefined;
  switch (away.rule) {
    case 'skip':
      return { skipped: true, reason: { code, detail: `${detail}; the task says to skip it then` } };
    case 'fail':
      return { skipped: false, reason: { code, detail: `${detail}; the task says that this is a failure` } };
    case 'wait':
      return { skipped: false, reason: { code: 'wait-over', detail: `${detail}; the task lets it wait ${away.seconds} s and no longer` } };
    default:
      return unreachable(away.rule, 'rule for nodes that are away');
  }
};
