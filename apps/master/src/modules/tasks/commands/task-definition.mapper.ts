import { AppError, fault, refuse } from '#kernel';
import type { Schedule, TaskDefinition } from '../domain/task.definition.ts';
import type { ChangeTaskRequest, DefineTaskRequest, RetriesDto, ScheduleDto } from '../http/task.dto.ts';
import { scheduleFault } from '../processes/cron.ts';

const daySeconds = 86_400;

const scheduleOf = ({ cron, timeZone = 'UTC', misfire = 'run-once' }: ScheduleDto): Schedule => {
  const problem = scheduleFault(cron, timeZone);
  if (problem) throw new AppError(problem);
  return { cron, timeZone, misfire };
};

const retriesOf = ({ max, delaySeconds = 60 }: RetriesDto) => ({ max, delaySeconds });

/** Plain data without what was left out, as an event carries it. */
const plain = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const nodesOf = ({ node, nodes }: Pick<DefineTaskRequest, 'node' | 'nodes'>): readonly string[] | undefined => {
  if (node !== undefined && nodes !== undefined) {
    throw new AppError(refuse('validation', 'invalid-request', 'Give nodes or node, not both', [{ field: 'node', detail: 'is short for nodes with one' }]));
  }
  return nodes ?? (node === undefined ? undefined : [node]);
};

/** The definition that a request for a new task asks for. Throws `invalid-request` and `schedule-invalid`. */
export const definitionOf = (request: DefineTaskRequest): TaskDefinition => {
  const nodes = nodesOf(request);
  if (!nodes) throw fault('validation', 'invalid-request', 'Name the nodes that the task covers');
  const { name, target, source, schedule, overlap = 'skip', retention = {}, timeoutSeconds = daySeconds, retries = { max: 2 } } = request;
  return plain({
    name, nodes, target, source, overlap, retention: retention, timeoutSeconds, retries: retriesOf(retries),
    ...(schedule ? { schedule: scheduleOf(schedule) } : {}),
  });
};

/** The definition after a change. Throws as `definitionOf`. */
export const changedDefinition = (before: TaskDefinition, request: ChangeTaskRequest): TaskDefinition => {
  const { schedule: oldSchedule, ...rest } = before;
  const { name, target, source, overlap, retention, timeoutSeconds, retries } = request;
  const schedule = request.schedule === undefined ? oldSchedule : request.schedule === null ? undefined : scheduleOf(request.schedule);
  const wished = { name, target, source, overlap, timeoutSeconds, nodes: nodesOf(request), retention: retention, retries: retries && retriesOf(retries) };
  const changes = Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)) as Partial<TaskDefinition>;
  return plain({ ...rest, ...changes, ...(schedule ? { schedule } : {}) });
};
