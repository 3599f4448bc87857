import 'reflect-metadata';
import type { ConsumerInfo, NatsConnection } from 'nats';
import { streams } from '#contracts';
import { inboxPrefixOf } from '#identity';
import { randomIds, silentLogger, systemClock } from '#kernel';
import { connectBus, tryCredential, watchBus } from '#messaging';
import { Agent } from '../agent.ts';
import { AgentCredential } from '../session/agent-credential.ts';
import type { DataPlane } from '../data-plane/data-plane.port.ts';
import { type AgentDatabase, openDatabase } from '../state/database.ts';
import { readNodeIdentity } from '../state/node-identity.ts';
import { openStateDirectory } from '../state/state-directory.ts';

/**
 * A program for tests: an agent that, when it has been told a number, kills itself with SIGKILL at that many steps from then on. A
 * step is the moment before or after anything that outlasts the process: a transaction, a claim, a data plane, a report, an
 * acknowledgement. Asked `over?`, it says `over` when nothing is left to do, so that no step of an attempt follows, else `working`.
 */
const [stateDir = ''] = process.argv.slice(2);
let left = 0;
let inHand = 0;
const step = (): void => {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
};
const isOver = (sql: AgentDatabase['sql']): boolean => {
  const { open } = sql.prepare(`select (select count(*) from attempts where status not in ('done', 'forgotten'))
    + (select count(*) from outbox where status = 'waiting') as open`).get() as { open: number };
  return inHand === 0 && open === 0;
};
const around = async <T>(work: () => Promise<T>): Promise<T> => {
  step();
  const value = await work();
  step();
  return value;
};

const mortalDatabase = (inner: AgentDatabase): AgentDatabase => ({
  sql: inner.sql,
  close: () => inner.close(),
  transaction: (work) => {
    if (inner.sql.isTransaction) return inner.transaction(work);
    step();
    const value = inner.transaction(work);
    step();
    return value;
  },
});

/** Claims and reports are steps; what may be lost anyway is none. */
const mortalConnection = (inner: NatsConnection): NatsConnection => new Proxy(inner, {
  get: (target, name) => {
    const value: unknown = Reflect.get(target, name);
    if (name === 'request') {
      return (...[subject, ...rest]: Parameters<NatsConnection['request']>) =>
        subject.endsWith('.claim') ? around(() => inner.request(subject, ...rest)) : inner.request(subject, ...rest);
    }
    if (name === 'jetstream') {
      return () => {
        const client = inner.jetstream();
        return { publish: (...given: Parameters<typeof client.publish>) => around(() => client.publish(...given)) };
      };
    }
    return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value;
  },
});

/** Moves nothing; what is tested is what becomes of its result. */
const dataPlane: DataPlane = { run: () => around(() => Promise.resolve({ outcome: 'succeeded', faults: [], faultCount: 0 })) };

const pull = async (connection: NatsConnection, node: string, take: (bytes: Uint8Array) => void): Promise<never> => {
  const consumer = connection.jetstream().consumers.getPullConsumerFor({ stream_name: streams.commands, name: node, config: {} } as unknown as ConsumerInfo);
  for (;;) {
    // A server that is slow to answer is asked again, as the agent's own loop does.
    const message = await consumer.next({ expires: 5_000, bind: true }).catch(() => null);
    if (!message) continue;
    inHand++;
    step();
    take(message.data);
    step();
    await message.ackAck().catch(() => false);
    step();
    inHand--;
  }
};

const state = openStateDirectory(stateDir);
const identity = readNodeIdentity(state);
const { node, natsUrls } = identity.facts;
const credential = new AgentCredential(state, identity);
const connection = await connectBus({
  urls: natsUrls, name: node, inboxPrefix: inboxPrefixOf(node), credential: credential.forBus(),
  clock: systemClock, log: silentLogger,
});
const database = openDatabase(state.database);
process.on('message', (said: number | 'over?') => {
  if (said === 'over?') return void process.send?.(isOver(database.sql) ? 'over' : 'working');
  left = said;
  process.send?.('told');
});
const agent = new Agent({
  state, identity, credential, dataPlane, network: {},
  tryCredential: (other) => tryCredential({ urls: natsUrls, name: node, inboxPrefix: inboxPrefixOf(node), credential: other, clock: systemClock, log: silentLogger }), connection: mortalConnection(connection), database: mortalDatabase(database),
  health: watchBus(connection, silentLogger), clock: systemClock, ids: randomIds, logger: silentLogger, slots: 1,
  installMode: 'unbuilt', restart: () => undefined,
});
agent.start();
process.send?.('started');
await pull(connection, node, (bytes) => agent.intake.take(bytes));
