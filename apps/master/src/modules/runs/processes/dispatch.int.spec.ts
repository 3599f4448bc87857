import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Command, SignedMessage, decodeMessage, streams } from '#contracts';
import { openMessage } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { CommandPublisher, newConsumers, provisionStreams } from '#messaging';
import { type TestOperatorNats, startNats } from '#testing';
import { decideRun } from '../commands/decide-run.ts';
import { World, nodeA } from '../testing.ts';

const second = 1000;
let nats: TestOperatorNats;
let bus: NatsConnection;
let world: World;

beforeAll(async () => {
  nats = await startNats({ operatorMode: true });
  bus = await nats.connectMaster();
});
beforeEach(async () => {
  world = new World();
  world.sender = new CommandPublisher(bus, nats.keys.commandSigning, systemClock);
  // A new stream for each test: the ids of runs are the same ones, and it would remember them.
  await (await bus.jetstreamManager()).streams.delete(streams.commands).catch(() => undefined);
  await provisionStreams(bus, { events: { name: 'EVENTS', subjects: ['hf.events.>'] }, replicas: 1, log: silentLogger });
  await newConsumers(bus).ensureNode(nodeA);
});
afterAll(async () => {
  await bus?.close();
  await nats?.stop();
});

/** What the agent is given next, acked as agents do; undefined when there is nothing. */
const take = async (): Promise<Pick<Command, 'run' | 'attempt' | 'verb'> | undefined> => {
  const message = await (await bus.jetstream().consumers.get(streams.commands, nodeA)).next({ expires: 1000 });
  if (!message) return undefined;
  await message.ackAck();
  const { run, attempt, verb } = openMessage([nats.keys.commandSigning], 'command', nodeA, decodeMessage(SignedMessage, message.data)) as Command;
  return { run, attempt, verb };
};

it('a command is told again to a node whose agent took it and died', async () => {
  const [one, two] = [world.master(), world.master()];
  const run = await world.request(one);
  await one.dispatch.dispatch(run, nodeA);
  const command = { run, attempt: 1, verb: 'backup' };
  expect(await take()).toEqual(command);
  await world.clock.advance(16 * second);
  await Promise.all([one.dispatching.pass(), two.dispatching.pass()]);
  expect([await take(), await take()]).toEqual([command, undefined]);
  await world.clock.advance(15 * second);
  await two.dispatching.pass();
  expect(await take()).toEqual(command);
});

it('a command is told again when the bus lost it after it had said that it holds it', async () => {
  const one = world.master();
  const run = await world.request(one);
  await one.dispatch.dispatch(run, nodeA);
  await (await bus.jetstreamManager()).streams.purge(streams.commands);
  await world.clock.advance(16 * second);
  await one.dispatching.pass();
  expect(await take()).toEqual({ run, attempt: 1, verb: 'backup' });
});

it('a wish to stop is told again to a node that does not confirm it', async () => {
  const one = world.master();
  const run = await world.request(one);
  await one.dispatch.dispatch(run, nodeA);
  await one.claims.answer(nodeA, { id: 'ask', run, attempt: 1, instance: 'i1' });
  await one.deciding.execute('user:test', (unit) => decideRun(unit, run, { type: 'CancelRun' }));
  await one.dispatch.stop(run, nodeA, 1);
  const stop = { run, attempt: 1, verb: 'stop' };
  expect([await take(), await take()]).toEqual([{ ...stop, verb: 'backup' }, stop]);
  await world.clock.advance(16 * second);
  await one.supervision.pass();
  expect(await take()).toEqual(stop);
});
