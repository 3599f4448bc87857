import { AppError, fault, refuse } from '#kernel';
import type { Schedule, TaskDefinition } from '../domain/task.definition.ts';
import { type TaskPlacement, selects } from '../domain/task.placement.ts';
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

type PlacementWish = Pick<DefineTaskRequest, 'node' | 'nodes' | 'selector' | 'place' | 'offline' | 'waitSeconds'>;

const misplaced = (field: string, detail: string): AppError => new AppError(refuse('validation', 'invalid-request', detail, [{ field, detail }]));

/** The labels that are wished; what is not said stays as it was `before`. Undefined: nothing is said of labels. */
const selectorWished = ({ selector: labels, place }: PlacementWish, before: TaskPlacement | undefined) => {
  const known = before && selects(before) ? before : undefined;
  const selector = labels ?? known?.selector;
  return selector && { selector: { ...selector }, mode: place ?? known?.mode ?? ('any' as const) };
};

/** The nodes or the labels that are wished. Undefined: nothing is known of them. */
const nodesWished = (wish: PlacementWish, before: TaskPlacement | undefined) => {
  const nodes = nodesOf(wish);
  if (nodes && wish.selector) throw misplaced('selector', 'Name the nodes, or the labels that they have, not both');
  const selected = nodes ? undefined : selectorWished(wish, before);
  if (selected) return selected;
  if (wish.place) throw misplaced('place', 'Goes with a selector; nodes that are named are all meant');
  if (nodes) return { nodes };
  return before && !selects(before) ? { nodes: before.nodes } : undefined;
};

/** Seconds that a start by labels waits for nodes where nothing else is said: what is chosen anew each time should not wait for ever. */
const selectorWaitSeconds = daySeconds;

const placementOf = (wish: PlacementWish, before?: TaskPlacement): TaskPlacement => {
  const on = nodesWished(wish, before);
  if (!on) throw fault('validation', 'invalid-request', 'Name the nodes that the task covers, or the labels that they have');
  const offline = wish.offline ?? before?.offline ?? 'wait';
  const bound = before?.waitSeconds ?? ('selector' in on ? selectorWaitSeconds : undefined);
  const waitSeconds = wish.waitSeconds ?? (offline === 'wait' ? bound : undefined);
  return { ...on, offline, ...(waitSeconds === undefined ? {} : { waitSeconds }) };
};

/** The definition that a request for a new task asks for. Throws `invalid-request` and `schedule-invalid`. */
export const definitionOf = (request: DefineTaskRequest): TaskDefinition => {
  const placement = placementOf(request);
  const { name, target, source, schedule, overlap = 'skip', retention = {}, timeoutSeconds = daySeconds, retries = { max: 2 } } = request;
  return plain({
    name, placement, target, source, overlap, retention: retention, timeoutSeconds, retries: retriesOf(retries),
    ...(schedule ? { schedule: scheduleOf(schedule) } : {}),
  });
};

/** The definition after a change. Throws as `definitionOf`. */
export const changedDefinition = (before: TaskDefinition, request: ChangeTaskRequest): TaskDefinition => {
  const { schedule: oldSchedule, ...rest } = before;
  const { name, target, source, overlap, retention, timeoutSeconds, retries } = request;
  const schedule = request.schedule === undefined ? oldSchedule : request.schedule === null ? undefined : scheduleOf(request.schedule);
  const wished = { name, target, source, overlap, timeoutSeconds, placement: placementOf(request, before.placement), retention: retention, retries: retries && retriesOf(retries) };
  const changes = Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined)) as Partial<TaskDefinition>;
  return plain({ ...rest, ...changes, ...(schedule ? { schedule } : {}) });
};
