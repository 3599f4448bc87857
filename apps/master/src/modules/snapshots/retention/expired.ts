import { retain } from '#repository';

/** A snapshot as retention sees it; `time` in milliseconds since 1970. */
export interface RetentionCandidate {
  readonly id: string;
  readonly time: number;
  readonly held: boolean;
}

/** How many of each to keep; a snapshot stays when any rule keeps it. */
export interface RetentionRules {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  readonly keepWithinDays?: number;
}

const dayMs = 86_400_000;

/** The snapshots of one task in one repository that its rules keep no longer, oldest first; see `retain` of the repository for the rules. */
export const expired = (snapshots: readonly RetentionCandidate[], rules: RetentionRules): readonly RetentionCandidate[] => {
  const { keepLast: last, keepHourly: hourly, keepDaily: daily, keepWeekly: weekly, keepMonthly: monthly, keepYearly: yearly, keepWithinDays } = rules;
  const within = keepWithinDays === undefined ? {} : { withinMs: keepWithinDays * dayMs };
  const kept = retain(snapshots, { last, hourly, daily, weekly, monthly, yearly, ...within });
  return snapshots.filter(({ id }) => !kept.has(id)).toSorted((a, b) => a.time - b.time);
};
