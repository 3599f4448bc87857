import { counted } from '#kernel';
import { humanDuration, table } from '../format.ts';

/** What of a task the command line shows and changes, fields of `GET /api/v1/tasks/{id}`. */
export interface TaskView {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly status: string;
  readonly node?: string;
  readonly nodes?: readonly string[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly place?: string;
  readonly offline: string;
  readonly waitSeconds?: number;
  readonly target: string;
  readonly source: TaskSource;
  readonly schedule?: TaskSchedule;
  readonly nextStart?: string;
  readonly overlap: string;
  readonly retention: Readonly<Record<string, number>>;
  readonly timeoutSeconds: number;
  readonly retries: { readonly max: number; readonly delaySeconds?: number };
  readonly createdAt: string;
  readonly changedAt: string;
}

/** What a task reads. */
export interface TaskSource {
  readonly type: string;
  readonly paths: readonly string[];
  readonly excludes?: readonly string[];
  readonly oneFileSystem?: boolean;
  readonly excludeCaches?: boolean;
  readonly changeDetection?: readonly string[];
  readonly readers?: number;
}

/** When a task starts by itself. */
export interface TaskSchedule {
  readonly cron: string;
  readonly timeZone?: string;
  readonly misfire?: string;
}

type Names = ReadonlyMap<string, string>;

const labelsText = (selector: Readonly<Record<string, string>>): string => Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(',');

/** Where a task runs, for a list. */
export const whereOf = ({ selector, place, nodes = [], node = '' }: Pick<TaskView, 'selector' | 'place' | 'nodes' | 'node'>, names: Names): string => {
  if (selector) return `${place ?? ''} ${labelsText(selector)}`;
  const first = names.get(node) ?? node;
  return nodes.length > 1 ? `${first} and ${nodes.length - 1} more` : first;
};

const seconds = (count: number): string => humanDuration(count * 1000);

const sourceText = ({ paths, oneFileSystem, excludeCaches, changeDetection, readers }: TaskSource): string => [
  paths.join(' '), ...(oneFileSystem ? ['one file system'] : []), ...(excludeCaches === false ? ['caches too'] : []),
  ...(changeDetection ? [`changes told by ${changeDetection.join(', ')}`] : []), ...(readers ? [counted(readers, 'reader')] : []),
].join('; ');

/** When a task starts, for people: nobody can tell an hour without its time zone. */
export const scheduleText = ({ schedule }: TaskView): string => (schedule ? `${schedule.cron} ${schedule.timeZone ?? 'UTC'}` : 'by hand');

const retentionText = (retention: TaskView['retention']): string =>
  Object.entries(retention).map(([rule, count]) => `${rule.slice('keep'.length).replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim()} ${count}`).join(', ') || 'everything is kept';

/** Everything that a task says, a line each. */
export const taskText = (task: TaskView, names: { readonly nodes: Names; readonly targets: Names }): string => {
  const { id, name, status, selector, nodes = [], offline, waitSeconds, target, source, retries, schedule, nextStart } = task;
  const named = nodes.map((node) => names.nodes.get(node) ?? node).join(', ');
  const rows: (readonly [string, string])[] = [
    ['id', id], ['name', name], ['status', status],
    ['runs on', selector ? `${task.place === 'all' ? 'all nodes' : 'any one node'} with ${labelsText(selector)}` : named],
    ['node away', `${offline}${waitSeconds === undefined ? '' : `, ${seconds(waitSeconds)} and no longer`}`],
    ['backs up', sourceText(source)], ...(source.excludes?.length ? [['leaves out', source.excludes.join(' ')] as const] : []),
    ['target', names.targets.get(target) ?? target], ['schedule', scheduleText(task)],
    ...(nextStart ? [['next start', nextStart] as const] : []), ...(schedule ? [['when missed', schedule.misfire ?? 'run-once'] as const] : []), ['overlap', task.overlap], ['keeps', retentionText(task.retention)],
    ['time limit', seconds(task.timeoutSeconds)], ['retries', `${retries.max}, after ${seconds(retries.delaySeconds ?? 60)}`],
    ['made', task.createdAt], ['changed', task.changedAt],
  ];
  return table(['', ''], rows.map((row) => [...row])).trimStart();
};
