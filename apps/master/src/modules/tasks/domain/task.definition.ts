import type { FilesSource } from '#contracts';
import type { TaskPlacement } from './task.placement.ts';

/** When a task starts by itself. */
export interface Schedule {
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  /** IANA name, for example `Europe/Berlin`. */
  readonly timeZone: string;
  /** When no master was there at the time: run once as soon as one is, or skip. */
  readonly misfire: 'run-once' | 'skip';
}

/** What to keep; a snapshot is kept when any rule keeps it. With no rule at all everything is kept. */
export interface Retention {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
  readonly keepYearly?: number;
  /** Everything younger than this many days. */
  readonly keepWithinDays?: number;
}

/** What somebody asked for when they made or changed a task. */
export interface TaskDefinition {
  readonly name: string;
  readonly placement: TaskPlacement;
  readonly target: string;
  readonly source: FilesSource;
  readonly schedule?: Schedule;
  /** What a start does while the same task still runs on the same node: skip it, or let it wait its turn. */
  readonly overlap: 'skip' | 'queue';
  readonly retention: Retention;
  /** Of one attempt, from the claim. */
  readonly timeoutSeconds: number;
  readonly retries: { readonly max: number; readonly delaySeconds: number };
}
