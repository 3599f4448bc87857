/** When a task starts by itself, as the interface has it. */
export interface ScheduleView {
  readonly cron: string;
  readonly timeZone?: string;
}

/** What the CLI needs of a task, a field of `GET /api/v1/tasks`. */
export interface TaskView {
  readonly id: string;
  readonly revision: number;
  readonly name: string;
  readonly node?: string;
  readonly nodes?: readonly string[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly place?: string;
  readonly offline?: string;
  readonly status?: string;
  readonly target: string;
  readonly source: { readonly paths: readonly string[]; readonly excludes?: readonly string[] };
  readonly schedule?: ScheduleView;
  readonly retention?: Readonly<Record<string, unknown>>;
  readonly nextStart?: string;
  readonly changedAt?: string;
}

/** Where a task runs, for people. */
export const whereOf = ({ selector, place, nodes = [], node = '' }: TaskView, names: ReadonlyMap<string, string>): string => {
  if (selector) return `${place ?? ''} ${Object.entries(selector).map(([key, value]) => `${key}=${value}`).join(',')}`;
  const first = names.get(node) ?? node;
  return nodes.length > 1 ? `${first} and ${nodes.length - 1} more` : first;
};

/** When a task starts, for people: nobody can tell an hour without its time zone. */
export const scheduleText = ({ schedule }: TaskView): string => (schedule ? `${schedule.cron} ${schedule.timeZone ?? 'UTC'}` : 'by hand');
