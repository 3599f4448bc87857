import pg from 'pg';
import { commandHandler, eventCodec } from '#event-store';
import { silentLogger, systemClock } from '#kernel';
import { createFollower, rebuild } from '#projections';
import { type BenchStack, jobDecider, jobTypes } from './stack.ts';

/** Events per second of one part of the benchmark. */
export interface Rate {
  readonly events: number;
  readonly seconds: number;
  readonly perSecond: number;
}

const rate = (events: number, seconds: number): Rate => ({ events, seconds: Number(seconds.toFixed(3)), perSecond: Math.round(events / seconds) });

const timed = async (events: number, work: () => Promise<unknown>): Promise<Rate> => {
  const start = performance.now();
  await work();
  return rate(events, (performance.now() - start) / 1000);
};

const inParallel = async (count: number, workers: number, work: (index: number) => Promise<void>): Promise<void> => {
  let next = 0;
  await Promise.all(Array.from({ length: workers }, async () => {
    while (next < count) await work(next++);
  }));
};

const execute = (stack: BenchStack, cached?: number) => {
  const handler = commandHandler(stack.store, systemClock, cached === undefined ? {} : { cached });
  let command = 0;
  return async (job: number): Promise<void> => {
    const context = { time: new Date().toISOString(), actor: 'user:user_5f2k0a9c8w3n1m7q4x6z', from: '192.0.2.10', commandId: `cmd_${job}_${++command}` };
    const done = await handler.execute(context, (unit) => unit.decide(jobDecider, `run_${job}`, { type: 'next', node: `node_${job % 1000}` }));
    if (!done.ok) throw new Error(done.error.code);
  };
};

/** Load, decide, append to distinct aggregates with `workers` commands at a time: new ones, the same again from the cache, and again from the archive. */
export const appendRates = async (stack: BenchStack, count: number, workers: number): Promise<Readonly<Record<string, Rate>>> => {
  const cached = execute(stack, count);
  const created = await timed(count, () => inParallel(count, workers, cached));
  const again = await timed(count, () => inParallel(count, workers, cached));
  await projectRate(stack);
  const uncached = execute(stack, 1);
  const cold = await timed(count, () => inParallel(count, workers, uncached));
  return { created, again, cold };
};

/** Fills the log with lives of three events as fast as the store takes them. */
export const fillLog = async (stack: BenchStack, events: number): Promise<Rate> => {
  const lives = Math.ceil(events / 3);
  return timed(lives * 3, () => inParallel(lives, 128, async (life) => {
    const decided: Parameters<typeof stack.store.append>[0][number]['events'][number][] = [];
    for (let step = 0; step < 3; step++) {
      const next = jobDecider.decide({ type: 'next', node: `node_${life % 1000}` }, { step });
      if (next.ok) decided.push(...next.value);
    }
    await stack.store.append([{ aggregate: { type: 'job', id: `life_${life}` }, expectedSequence: 0, expectedRevision: 0, events: decided }],
      { time: new Date().toISOString(), actor: 'system:bench', commandId: `life_${life}` });
  }));
};

/** The follower from where the archive ends to where the log ends. */
export const projectRate = async (stack: BenchStack): Promise<Rate> => {
  const follower = createFollower({
    connection: stack.connection, sql: stack.pool, database: stack.database, types: jobTypes, installation: stack.installation,
    tables: stack.tables, clock: systemClock, logger: silentLogger,
  });
  const start = performance.now();
  await follower.start();
  const from = follower.position;
  const { last } = await follower.lag();
  if (!(await follower.waitFor(last, 3_600_000))) throw new Error('The follower did not get there');
  const seconds = (performance.now() - start) / 1000;
  await follower.stop();
  return rate(last - from, seconds);
};

/** Milliseconds from an append to its rows, one at a time. */
export const visibleAfter = async (stack: BenchStack, count: number): Promise<{ readonly p50: number; readonly p99: number }> => {
  const follower = createFollower({
    connection: stack.connection, sql: stack.pool, database: stack.database, types: jobTypes, installation: stack.installation,
    tables: stack.tables, clock: systemClock, logger: silentLogger,
  });
  await follower.start();
  await follower.waitFor((await follower.lag()).last, 600_000);
  const handler = commandHandler(stack.store, systemClock);
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const context = { time: new Date().toISOString(), actor: 'system:bench', commandId: `seen_${i}` };
    const done = await handler.execute(context, (unit) => unit.decide(jobDecider, `seen_${i}`, { type: 'next', node: 'n' }));
    if (done.ok) await follower.waitFor(done.value.sequence, 5_000);
    times.push(performance.now() - start);
  }
  await follower.stop();
  times.sort((a, b) => a - b);
  const at = (part: number): number => Number((times[Math.floor((times.length - 1) * part)] ?? 0).toFixed(2));
  return { p50: at(0.5), p99: at(0.99) };
};

/** All read rows made anew from the archive. */
export const rebuildRate = async (stack: BenchStack): Promise<Rate> => {
  const client = new pg.Client(stack.database);
  await client.connect();
  const start = performance.now();
  const { events } = await rebuild({ client, tables: stack.tables, codec: eventCodec(jobTypes, stack.installation), logger: silentLogger });
  const seconds = (performance.now() - start) / 1000;
  await client.end();
  return rate(events, seconds);
};
