import { parseTime } from '#kernel';

/** A snapshot as retention sees it. */
export interface RetainedSnapshot {
  readonly id: string;
  /** RFC 3339: the master's time of the run. */
  readonly time: string;
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
/** Weeks begin on Monday; 1970-01-01 was a Thursday. */
const weekOf = (time: string): string => String(Math.floor((Math.floor(parseTime(time) / dayMs) + 3) / 7));

const buckets: readonly { readonly rule: Exclude<keyof RetentionRules, 'keepWithinDays'>; readonly bucket: (item: RetainedSnapshot) => string }[] = [
  { rule: 'keepLast', bucket: (item) => item.id },
  { rule: 'keepHourly', bucket: (item) => item.time.slice(0, 13) },
  { rule: 'keepDaily', bucket: (item) => item.time.slice(0, 10) },
  { rule: 'keepWeekly', bucket: (item) => weekOf(item.time) },
  { rule: 'keepMonthly', bucket: (item) => item.time.slice(0, 7) },
  { rule: 'keepYearly', bucket: (item) => item.time.slice(0, 4) },
];

/**
 * The snapshots of one task that its rules keep no longer, oldest first; times are compared in UTC. The newest of each hour, day
 * and so on counts. With no rule, everything is kept; the newest snapshot and held ones always are.
 */
export const expired = (snapshots: readonly RetainedSnapshot[], rules: RetentionRules, now: string): readonly RetainedSnapshot[] => {
  if (Object.values(rules).every((value) => value === undefined)) return [];
  const newestFirst = snapshots.toSorted((a, b) => parseTime(b.time) - parseTime(a.time) || (a.id < b.id ? 1 : -1));
  const kept = new Set(newestFirst.filter((item, index) => index === 0 || item.held));
  for (const { rule, bucket } of buckets) {
    const seen = new Set<string>();
    for (const item of newestFirst) {
      if (seen.size >= (rules[rule] ?? 0)) break;
      const key = bucket(item);
      if (!seen.has(key)) kept.add(item);
      seen.add(key);
    }
  }
  const since = parseTime(now) - (rules.keepWithinDays ?? 0) * dayMs;
  return newestFirst.filter((item) => !kept.has(item) && !(rules.keepWithinDays !== undefined && parseTime(item.time) >= since)).reverse();
};
