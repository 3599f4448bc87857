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

/** Why a schedule cannot be used; undefined when it can. */
export const scheduleFault = (cron: string, timeZone: string): Refusal | undefined => {
  const time = read(cron, timeZone);
  return time.ok ? undefined : time.error;
};

/**
 * The first instants of a schedule after `afterMs` (milliseconds since 1970), at most `count` and none after `untilMs`. Where clocks
 * go forward a skipped instant moves to the next valid time; where they go back it happens once.
 */
export const instantsAfter = (
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string }, afterMs: number, { count, untilMs }: { count: number; untilMs: number },
): number[] => {
  const time = read(cron, timeZone);
  if (!time.ok) return [];
  const instants: number[] = [];
  let from = afterMs;
  while (instants.length < count) {
    const next = time.value.getNextDateFrom(new Date(from), timeZone).toMillis();
    if (next <= from || next > untilMs) break;
    instants.push(next);
    from = next;
  }
  return instants;
};
