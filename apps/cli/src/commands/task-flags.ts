import { isAbsolute, normalize } from 'node:path';
import { type Command, Option } from 'commander';
import { fault } from '#kernel';
import { numberOf, secondsOf } from './length-of-time.ts';
import { type PlacementFlags, placementFlags } from './placement.ts';
import type { TaskSchedule, TaskSource, TaskView } from './task-view.ts';

/** Flags of what a task says, new or changed. */
export interface TaskFlags extends PlacementFlags {
  readonly target?: string;
  readonly path?: readonly string[];
  /** False: `--no-exclude`. */
  readonly exclude?: readonly string[] | false;
  readonly oneFileSystem?: boolean;
  readonly caches?: boolean;
  readonly changesBy?: string;
  readonly readers?: string;
  /** False: `--no-schedule`. */
  readonly schedule?: string | false;
  readonly timeZone?: string;
  readonly misfire?: string;
  readonly overlap?: string;
  readonly keepLast?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
  readonly keepWithinDays?: string;
  readonly timeout?: string;
  readonly retries?: string;
  readonly retryDelay?: string;
}

const keeps = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly', 'keepWithinDays'] as const;
const flagOf = (rule: string): string => rule.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const choice = (flags: string, description: string, choices: readonly string[]): Option => new Option(flags, description).choices([...choices]);

/** A path of another host: what is relative here means nothing there. Throws `path-not-absolute`. */
export const onNode = (flag: string) => (path: string): string => {
  if (isAbsolute(path)) return normalize(path);
  throw fault('validation', 'path-not-absolute', `${flag} "${path}" is not an absolute path; it is one of the node, so give it from / on`);
};

/** Adds the flags of what a task says; `target` and `path` are added by who knows whether they must be there. */
export const withTaskFlags = (command: Command): Command => {
  command
    .option('--node <node>', 'which host; several times for several, each with a run of its own (default: the only one)', (node: string, before: readonly string[] = []) => [...before, node])
    .option('--selector <labels>', 'instead of --node: the hosts that have these labels at the time, key=value[,key=value]')
    .addOption(choice('--place <place>', 'with --selector: any (one host, the least loaded) or all (a run on each)', ['any', 'all']))
    .addOption(choice('--offline <rule>', 'what becomes of a run whose host is offline or drained: it waits, is skipped, or fails (default: wait)', ['wait', 'skip', 'fail']))
    .option('--wait <time>', 'bound for --offline wait, after which the run fails: 600, 10m, 2d (default with --selector: a day)')
    .option('--exclude <pattern...>', 'gitignore patterns of what to leave out')
    .option('--one-file-system', 'do not cross into other file systems')
    .option('--caches', 'back up directories that say by CACHEDIR.TAG that they are caches, too')
    .option('--changes-by <facts>', 'which facts besides the size tell that a file changed, of mtime,ctime,inode (default: all)')
    .option('--readers <n>', 'files read at the same time; 1 for a spinning disk')
    .option('--schedule <cron>', 'five fields, for example "0 3 * * *"')
    .option('--time-zone <zone>', 'of the schedule, as Europe/Vienna (default: UTC)')
    .addOption(choice('--misfire <rule>', 'a start that no master was there for: run once as soon as one is, or skip it (default: run-once)', ['run-once', 'skip']))
    .addOption(choice('--overlap <rule>', 'a scheduled start while the task still runs there (default: skip)', ['skip', 'queue']));
  for (const rule of keeps) {
    command.option(`--${flagOf(rule)} <n>`, `what a prune keeps: ${rule === 'keepWithinDays' ? 'all of so many days' : `the last ${rule === 'keepLast' ? 'n snapshots' : `of each ${rule.slice(4).toLowerCase()} period, n times`}`}; in a change none takes the rule away`);
  }
  return command
    .option('--timeout <time>', 'of one attempt: 90m, 12h (default: a day)')
    .option('--retries <n>', 'how often a failed run is tried again by itself (default: 2)')
    .option('--retry-delay <time>', 'before each of them (default: 1m)');
};

const given = <T extends object>(fields: T): Partial<T> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

const sourceOf = (flags: TaskFlags, before: TaskSource | undefined): TaskSource | undefined => {
  const said = given({
    paths: flags.path?.map(onNode('--path')), excludes: flags.exclude === false ? [] : flags.exclude, oneFileSystem: flags.oneFileSystem,
    excludeCaches: flags.caches === undefined ? undefined : !flags.caches, changeDetection: flags.changesBy?.split(','),
    readers: flags.readers === undefined ? undefined : numberOf('--readers', flags.readers),
  });
  return Object.keys(said).length === 0 ? undefined : { type: 'files', paths: [], ...before, ...said };
};

const scheduleOf = ({ schedule, timeZone, misfire }: TaskFlags, before: TaskSchedule | undefined): TaskSchedule | null | undefined => {
  if (schedule === false) return null;
  if (schedule === undefined && timeZone === undefined && misfire === undefined) return undefined;
  const cron = schedule ?? before?.cron;
  if (cron === undefined) throw fault('validation', 'invalid-arguments', 'The task has no schedule; give one with --schedule');
  return { ...before, cron, ...given({ timeZone, misfire }) };
};

const retentionOf = (flags: TaskFlags, before: TaskView['retention']): TaskView['retention'] | undefined => {
  const said = keeps.flatMap((rule) => (flags[rule] === undefined ? [] : [[rule, flags[rule]] as const]));
  if (said.length === 0) return undefined;
  const rules = new Map(Object.entries(before));
  for (const [rule, count] of said) {
    if (count === 'none') rules.delete(rule);
    else rules.set(rule, numberOf(`--${flagOf(rule)}`, count));
  }
  return Object.fromEntries(rules);
};

const retriesOf = ({ retries, retryDelay }: TaskFlags, before: TaskView['retries']): TaskView['retries'] | undefined => {
  if (retries === undefined && retryDelay === undefined) return undefined;
  return { ...before, ...(retries === undefined ? {} : { max: numberOf('--retries', retries) }), ...(retryDelay === undefined ? {} : { delaySeconds: secondsOf(retryDelay) }) };
};

/**
 * The fields of a task that the flags ask for, as the interface takes them, but for node and target, which are looked up. What stands in a field
 * beside what is asked for stays as it was `before`. Throws `invalid-arguments` and `selector-invalid`.
 */
export const taskBody = (flags: TaskFlags, before?: TaskView): Readonly<Record<string, unknown>> => given({
  ...placementFlags(flags),
  source: sourceOf(flags, before?.source),
  schedule: scheduleOf(flags, before?.schedule),
  overlap: flags.overlap,
  retention: retentionOf(flags, before?.retention ?? {}),
  timeoutSeconds: flags.timeout === undefined ? undefined : secondsOf(flags.timeout),
  retries: retriesOf(flags, before?.retries ?? { max: 2 }),
});
