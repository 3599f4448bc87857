import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '#kernel';
import { type Master, World, definition, nodeA, taskA } from '../../runs/testing.ts';
import { taskDecider } from '../domain/task.decide.ts';
import type { TaskDefinition } from '../domain/task.definition.ts';
import { taskLaneRows } from '../read-models/tasks/task.projection.ts';
import type { TaskLaneRow } from '../read-models/tasks/task.entity.ts';
import type { ScheduledTask } from '../ports.ts';
import { ScheduleProcess } from './schedule.process.ts';

const hourly = { cron: '0 * * * *', timeZone: 'UTC' } as const;
let world: World;
let tasks: ScheduledTask[];

const lanes = (): Map<string, number> => {
  const rows = new Map<string, TaskLaneRow>();
  for (const recorded of world.events('RunRequested')) {
    for (const key of taskLaneRows.keys(recorded as never)) rows.set(key, taskLaneRows.evolve(rows.get(key), recorded as never, key)!);
  }
  return new Map([...rows].map(([key, row]) => [key, row.scheduledUpTo.getTime()]));
};
const scheduler = (master: Master): ScheduleProcess =>
  new ScheduleProcess(master.deciding, master.requests, master.dispatch, { tasks: async () => tasks, scheduledUpTo: async () => lanes() }, world.clock, silentLogger);
const define = async (master: Master, misfire: 'run-once' | 'skip', change: Partial<TaskDefinition> = {}): Promise<void> => {
  const wanted = { ...definition, schedule: { ...hourly, misfire }, ...change };
  await master.deciding.execute('user:test', (unit) => unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: wanted }));
  tasks = [{ id: taskA, nodes: wanted.nodes, ...hourly, misfire, since: world.clock.now() }];
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
    await define(one, 'run-once', { nodes: [nodeA, 'node_b'] });
    await world.clock.advance(hour);
    await scheduler(one).pass();
    expect(world.events('RunRequested').map(({ event }) => (event.data as { node: string }).node)).toEqual([nodeA, 'node_b']);
  });
  it('goes on where another master died between two nodes', async () => {
    world.nodes.set('node_b', world.nodes.get(nodeA)!);
    const [one, two] = [world.master(), world.master()];
    await define(one, 'run-once', { nodes: [nodeA, 'node_b'] });
    await world.clock.advance(hour);
    tasks = [{ ...tasks[0]!, nodes: [nodeA] }];
    await scheduler(one).pass();
    tasks = [{ ...tasks[0]!, nodes: [nodeA, 'node_b'] }];
    await scheduler(two).pass();
    expect(world.events('RunRequested')).toHaveLength(2);
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
