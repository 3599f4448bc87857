/** How long snapshots are kept; a snapshot stays when any rule wants it. Counts are of periods that have a snapshot. */
export interface RetentionPolicy {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Everything that is younger than this many milliseconds, seen from the newest snapshot. */
  readonly withinMs?: number;
}

/** A snapshot as retention sees it. */
export interface RetainedSnapshot {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Never removed while it is so. */
  readonly held?: boolean;
}

/** `last 1`, `daily 3`, `within`, `held`: why a snapshot stays. */
export type RetentionReason = string;

const utc = (time: number) => new Date(time);
const pad = (value: number): string => String(value).padStart(2, '0');
const day = (time: number): string => utc(time).toISOString().slice(0, 10);

/** The Thursday of a week decides its year (ISO 8601). */
const week = (time: number): string => {
  const date = utc(time);
  const thursday = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const first = Date.UTC(utc(thursday).getUTCFullYear(), 0, 1);
  return `${utc(thursday).getUTCFullYear()}-W${pad(Math.ceil(((thursday - first) / 86_400_000 + 1) / 7))}`;
};

const periods: readonly [keyof RetentionPolicy & ('hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'), (time: number) => string][] = [
  ['hourly', (time) => utc(time).toISOString().slice(0, 13)], ['daily', day], ['weekly', week],
  ['monthly', (time) => utc(time).toISOString().slice(0, 7)], ['yearly', (time) => String(utc(time).getUTCFullYear())],
];

/**
 * Which snapshots stay, and why; those not in the answer may go. Of each period the newest snapshot stays. Periods are of UTC. A
 * policy without any rule keeps everything. Pure: the newest snapshot, not the clock, is "now", so that a fleet that was off does
 * not lose its last snapshots.
 */
export const retain = (snapshots: readonly RetainedSnapshot[], policy: RetentionPolicy): Map<string, RetentionReason[]> => {
  const newestFirst = [...snapshots].sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const kept = new Map<string, RetentionReason[]>();
  const keep = (snapshot: RetainedSnapshot, reason: RetentionReason): void => {
    kept.set(snapshot.id, [...(kept.get(snapshot.id) ?? []), reason]);
  };
  const isEmpty = Object.values(policy).every((value) => value === undefined);
  const newest = newestFirst[0]?.time ?? 0;
  newestFirst.forEach((snapshot, i) => {
    if (snapshot.held) keep(snapshot, 'held');
    if (isEmpty) keep(snapshot, 'no rule');
    if (i < (policy.last ?? 0)) keep(snapshot, `last ${i + 1}`);
    if (policy.withinMs !== undefined && newest - snapshot.time < policy.withinMs) keep(snapshot, 'within');
  });
  for (const [rule, periodOf] of periods) {
    const seen = new Set<string>();
    for (const snapshot of newestFirst) {
      if (seen.size >= (policy[rule] ?? 0)) break;
      const period = periodOf(snapshot.time);
      if (!seen.has(period)) keep(snapshot, `${rule} ${period}`);
      seen.add(period);
    }
  }
  return kept;
};
