import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel';
import { type Master, World, definition, nodeA, taskA } from '../../runs/testing.ts';
import { taskDecider } from '../domain/task.decide.ts';
import { parentLane } from '../domain/lane.ts';
import { selects } from '../domain/task.placement.ts';
import type { TaskDefinition } from '../domain/task.definition.ts';
import { taskLaneRows } from '../read-models/tasks/task.projection.ts';
import type { TaskLaneRow } from '../read-models/tasks/task.entity.ts';
import type { ScheduledTask } from '../ports.ts';
import { ScheduleProcess } from './schedule.process.ts';
import { ScheduledRequests } from './scheduled-requests.ts';

const hourly = { cron: '0 * * * *', timeZone: 'UTC' } as const;
let world: World;
let tasks: ScheduledTask[];

const lanes = (): Map<string, number> => {
  const rows = new Map<string, TaskLaneRow>();
  for (const recorded of [...world.events('RunRequested'), ...world.events('ParentRunRequested')]) {
    for (const key of taskLaneRows.keys(recorded as never)) rows.set(key, taskLaneRows.evolve(rows.get(key), recorded as never, key)!);
  }
  return new Map([...rows].map(([key, row]) => [key, row.scheduledUpTo.getTime()]));
};
const scheduler = (master: Master): ScheduleProcess =>
  new ScheduleProcess(master.deciding, new ScheduledRequests(master.requests, master.parents), master.dispatch, { tasks: async () => tasks, scheduledUpTo: async () => lanes() }, world.clock, silentLogger);
const define = async (master: Master, misfire: 'run-once' | 'skip', change: Partial<TaskDefinition> = {}): Promise<void> => {
  const wanted = { ...definition, schedule: { ...hourly, misfire }, ...change };
  await master.deciding.execute('user:test', (unit) => unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: wanted }));
  tasks = [{ id: taskA, lanes: selects(wanted.placement) ? [parentLane] : wanted.placement.nodes, ...hourly, misfire, since: world.clock.now() }];
};
const hour = 3_600_000;

beforeEach(() => {
  world = new World();
  tasks = [];
});

describe('the scheduler', () => {
  it('makes exactly one run of an instant, whatever the number of masters and passes', async () => {
    const [one, two] = [world.master(), world.master()];
    await define(one, 'run-once');
    const [a, b] = [scheduler(one), scheduler(two)];
    await Promise.all([a.pass(), b.pass()]);
    expect(world.events('RunRequested')).toHaveLength(0);
    await world.clock.advance(hour);
    await Promise.all([a.pass(), b.pass(), a.pass(), b.pass()]);
    await a.pass();
    expect(world.events('RunRequested')).toHaveLength(1);
    expect(world.events('RunRequested')[0]?.event.data).toMatchObject({ scheduledFor: '2026-01-01T01:00:00.000Z', cause: 'schedule' });
    expect(world.events('RunDispatched')).toHaveLength(1);
  });
  it('makes one run for each node', async () => {
    world.nodes.set('node_b', world.nodes.get(nodeA)!);
    const one = world.master();
    await define(one, 'run-once', { placement: { nodes: [nodeA, 'node_b'], offline: 'wait' } });
    await world.clock.advance(hour);
    await scheduler(one).pass();
    expect(world.events('RunRequested').map(({ event }) => (event.data as { node: string }).node)).toEqual([nodeA, 'node_b']);
  });
  it('starts every other task where one cannot be decided on, and says so', async () => {
    const one = world.master();
    await define(one, 'run-once');
    tasks = [{ ...tasks[0]!, id: 'task_broken' }, { ...tasks[0]!, id: 'task_never', cron: '0 3 31 2 *' }, tasks[0]!];
    const real = new ScheduledRequests(one.requests, one.parents);
    const requests = { request: (...asked: Parameters<ScheduledRequests['request']>) => (asked[1].task === 'task_broken' ? Promise.reject(new Error('unreadable')) : real.request(...asked)) };
    const schedule = new ScheduleProcess(one.deciding, requests as ScheduledRequests, one.dispatch, { tasks: async () => tasks, scheduledUpTo: async () => lanes() }, world.clock, silentLogger);
    await world.clock.advance(hour);
    await expect(schedule.pass()).rejects.toThrow('unreadable');
    expect(world.events('RunRequested').map(({ event }) => (event.data as { task: string }).task)).toEqual([taskA]);
  });
  it('goes on where another master died between two nodes', async () => {
    world.nodes.set('node_b', world.nodes.get(nodeA)!);
    const [one, two] = [world.master(), world.master()];
    await define(one, 'run-once', { placement: { nodes: [nodeA, 'node_b'], offline: 'wait' } });
    await world.clock.advance(hour);
    tasks = [{ ...tasks[0]!, lanes: [nodeA] }];
    await scheduler(one).pass();
    tasks = [{ ...tasks[0]!, lanes: [nodeA, 'node_b'] }];
    await scheduler(two).pass();
    expect(world.events('RunRequested')).toHaveLength(2);
  });
  it('of a task that chooses its nodes makes one parent run an instant, with one child on each node', async () => {
    world.nodes.set('node_b', world.nodes.get(nodeA)!);
    for (const node of [nodeA, 'node_b']) world.labels.set(node, { tier: 'db' });
    const [one, two] = [world.master(), world.master()];
    await define(one, 'run-once', { placement: { selector: { tier: 'db' }, mode: 'all', offline: 'wait' } });
    const [a, b] = [scheduler(one), scheduler(two)];
    for (let i = 1; i <= 2; i++) {
      await world.clock.advance(hour);
      await Promise.all([a.pass(), b.pass(), a.pass(), b.pass()]);
      expect(world.events('ParentRunRequested')).toHaveLength(i);
      expect(world.events('RunRequested')).toHaveLength(2 * i);
    }
    expect(world.events('RunDispatched')).toHaveLength(2);
    expect(world.events('RunSkipped').map(({ event }) => (event.data as { code: string }).code)).toEqual(['overlap', 'overlap']);
  });
  it('after an outage records a parent run as skipped where the task does not catch up', async () => {
    world.labels.set(nodeA, { tier: 'db' });
    const one = world.master();
    await define(one, 'skip', { placement: { selector: { tier: 'db' }, mode: 'any', offline: 'wait' } });
    await world.clock.advance(5.5 * hour);
    await scheduler(one).pass();
    expect(world.events('ParentRunEnded')[0]?.event.data).toMatchObject({ status: 'skipped', code: 'missed' });
    expect(world.types('lane')).toEqual([]);
  });
  it('after an outage runs once where the task catches up', async () => {
    const one = world.master();
    await define(one, 'run-once');
    await world.clock.advance(5.5 * hour);
    await scheduler(one).pass();
    expect(world.events('RunRequested').map(({ event }) => (event.data as { scheduledFor: string }).scheduledFor)).toEqual(['2026-01-01T05:00:00.000Z']);
    expect(world.events('RunDispatched')).toHaveLength(1);
  });
  it('after an outage records why it skipped where the task does not catch up', async () => {
    const one = world.master();
    await define(one, 'skip');
    await world.clock.advance(5.5 * hour);
    await scheduler(one).pass();
    expect(world.events('RunSkipped')[0]?.event.data).toMatchObject({ code: 'missed' });
    expect(world.events('RunDispatched')).toHaveLength(0);
  });
  it('records an overlap as skipped, with the run that was in the way', async () => {
    const one = world.master();
    await define(one, 'run-once');
    const schedule = scheduler(one);
    await world.clock.advance(hour);
    await schedule.pass();
    await world.clock.advance(hour);
    await schedule.pass();
    expect(world.events('RunSkipped')[0]?.event.data).toMatchObject({ code: 'overlap' });
    expect(world.events('LaneEntered')).toHaveLength(1);
  });
});
