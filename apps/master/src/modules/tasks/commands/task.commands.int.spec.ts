import { connect, type NatsConnection } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommandHandler, archiveUp, commandHandler, eventTypes, eventsStreamConfig, jetStreamEventStore } from '#event-store';
import { countingIds, silentLogger, systemClock } from '#kernel';
import { type TestDatabase, type TestNats, startDatabase, startNats } from '#testing';
import { Commands, systemContext } from '../../../platform/index.ts';
import { repositoryEventVersions } from '../../repositories/index.ts';
import { Deciding, DispatchRunHandler, RequestRunHandler, StartRuns, runEventVersions } from '../../runs/index.ts';
import { definition } from '../../runs/testing.ts';
import { laneDecider, laneEventVersions, laneId } from '../domain/lane.ts';
import { taskDecider } from '../domain/task.decide.ts';
import { taskEventVersions } from '../domain/task.events.ts';
import { TaskCommands } from './task.commands.service.ts';

let nats: TestNats;
let postgres: TestDatabase;
let connection: NatsConnection;
let pool: pg.Pool;
beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startDatabase()]);
  connection = await connect({ servers: nats.url, noAsyncTraces: true });
  await (await connection.jetstreamManager()).streams.add(eventsStreamConfig(1));
  pool = new pg.Pool({ connectionString: postgres.url });
  pool.on('error', () => undefined);
  for (const statement of archiveUp) await pool.query(statement);
});
afterAll(async () => {
  await connection.close();
  await pool.end();
  await Promise.all([nats.stop(), postgres.stop()]);
});

const nodes = Array.from({ length: 1000 }, (_, index) => `node_${String(index).padStart(20, '0')}`);
const types = eventTypes(runEventVersions, taskEventVersions, laneEventVersions, repositoryEventVersions);
let count = 0;
let task: string;
let appends: number[];

/** A master over the real log; its rows say that no node is online, so that runs stay as they were requested. */
const master = (fails: (append: number) => boolean = () => false) => {
  const store = jetStreamEventStore({ connection, sql: pool, types, installation: 'inst_test', clock: systemClock });
  const handler: CommandHandler = commandHandler({
    ...store, load: store.load.bind(store),
    append: async (batch, context) => {
      if (fails(appends.length)) throw new Error('the master dies here');
      const events = await store.append(batch, context);
      appends.push(events.length);
      return events;
    },
  }, systemClock);
  const reads = { waitFor: () => Promise.resolve(true) };
  const deciding = new Deciding(handler, systemClock, countingIds());
  const away = { enrolled: true, drained: false, online: false, slots: 1 };
  const nodesAway = { find: () => Promise.resolve(away), heard: () => Promise.resolve(false), matching: () => Promise.resolve([]) };
  const dispatch = new DispatchRunHandler(
    deciding, nodesAway, { queued: () => Promise.resolve([]), active: () => Promise.resolve([]) },
    { send: () => Promise.reject(new Error('nothing is to be sent')) }, silentLogger,
  );
  const commands = new Commands(handler, reads);
  const starts = new StartRuns(commands, dispatch, reads, silentLogger);
  const none = undefined as never;
  return { handler, tasks: new TaskCommands(commands, new RequestRunHandler(nodesAway), none, starts, none, none) };
};
const context = (commandId: string) => systemContext(systemClock, 'test', commandId);

beforeEach(async () => {
  task = `task_${String(++count).padStart(20, '0')}`;
  appends = [];
  const defined = await master().handler.execute(context(`define ${task}`), (unit) =>
    unit.decide(taskDecider, task, { type: 'DefineTask', definition: { ...definition, placement: { nodes, offline: 'wait' } } }));
  expect(defined.ok).toBe(true);
  appends = [];
});

const lanes = async (): Promise<(string | undefined)[]> => {
  const read = await master().handler.execute(context(`read ${task} ${appends.length}`), async (unit) => {
    const states = await Promise.all(nodes.map((node) => unit.load(laneDecider, laneId(task, node))));
    return { ok: true, value: states.map(({ state }) => state.runs[0]) } as const;
  });
  if (!read.ok) throw new Error(read.error.code);
  return [...read.value.value];
};

describe('a task with a thousand nodes', () => {
  it('is started on all of them, with one answer', async () => {
    const { tasks } = master();
    const started = await tasks.run(context(`start ${task}`), task);
    expect(new Set(started).size).toBe(1000);
    expect(await lanes()).toEqual(started);
    expect(appends.reduce((sum, events) => sum + events, 0)).toBe(2000);
    expect(appends.every((events) => events <= 1000)).toBe(true);
  });

  it('whose start a master died in goes on where it ended when it is asked for again, with the same runs', async () => {
    await expect(master((append) => append === 2).tasks.run(context(`start ${task}`), task)).rejects.toThrow('the master dies here');
    const before = await lanes();
    const begun = before.filter((run) => run !== undefined);
    expect(begun).toHaveLength(500);
    const started = await master().tasks.run(context(`start ${task}`), task);
    expect(await lanes()).toEqual(started);
    expect(started.slice(0, 500)).toEqual(begun);
  });

  it('is started on none of them while it is at work on one', async () => {
    const { tasks } = master();
    const [only] = await tasks.run(context(`one of ${task}`), task, [nodes[900] ?? '']);
    appends = [];
    await expect(tasks.run(context(`start ${task}`), task)).rejects.toMatchObject({ code: 'task-running' });
    expect(appends).toEqual([]);
    expect((await lanes()).filter((run) => run !== undefined)).toEqual([only]);
  });
});
