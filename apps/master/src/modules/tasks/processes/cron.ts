import { CronTime } from 'cron';
import { type Refusal, type Result, err, messageOf, ok, refuse } from '#kernel';

const faulty = (detail: string): Refusal =>
  refuse('validation', 'schedule-invalid', detail, [{ field: 'schedule', detail }]);

/** The expression read in its time zone; `schedule-invalid` says what is wrong. */
const read = (cron: string, timeZone: string): Result<CronTime, Refusal> => {
  const { valid, error } = CronTime.validateCronExpression(cron);
  if (!valid) return err(faulty(`"${cron}" is not a cron expression (${error?.message ?? 'unknown reason'}); write five fields, for example 0 3 * * *`));
  try {
    return ok(new CronTime(cron, timeZone));
  } catch (error) {
    return err(faulty(`The schedule cannot be read (${messageOf(error)}); use an IANA time zone such as Europe/Berlin`));
  }
};

/** The first instant after `fromMs`; undefined when the library finds none, which it says by throwing: it looks eight years ahead. */
const following = (time: CronTime, timeZone: string, fromMs: number): number | undefined => {
  try {
    return time.getNextDateFrom(new Date(fromMs), timeZone).toMillis();
  } catch {
    return undefined;
  }
};

/** Why a schedule cannot be used; undefined when it can. One that names only days that no year has, as the 31st of February, cannot. */
export const scheduleFault = (cron: string, timeZone: string): Refusal | undefined => {
  const time = read(cron, timeZone);
  if (!time.ok) return time.error;
  return following(time.value, timeZone, 0) === undefined ? faulty(`"${cron}" never happens; name a day that its months have`) : undefined;
};

/**
 * The first instants of a schedule after `afterMs` (milliseconds since 1970), at most `count` and none after `untilMs`. Where clocks
 * go forward a skipped instant moves to the next valid time; where they go back it happens once. A schedule that cannot be used has none.
 */
export const instantsAfter = (
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string }, afterMs: number, { count, untilMs }: { count: number; untilMs: number },
): number[] => {
  const time = read(cron, timeZone);
  if (!time.ok) return [];
  const instants: number[] = [];
  let from = afterMs;
  while (instants.length < count) {
    const next = following(time.value, timeZone, from);
    if (next === undefined || next <= from || next > untilMs) break;
    instants.push(next);
    from = next;
  }
  return instants;
};
