import { type NatsConnection, RequestStrategy } from 'nats';
import { fault } from '#kernel';

interface ServerPage {
  readonly server: { readonly name: string };
  readonly data?: { readonly config?: { readonly sync_always?: boolean } };
}

/**
 * Throws `nats-not-durable` when a server acknowledges before it has synced to disk: by default that takes two minutes, and a power
 * cut then loses acknowledged events. Needs a connection of SYSTEM; throws `jetstream-unavailable` when no server answers.
 */
export const assertDurable = async (system: Pick<NatsConnection, 'requestMany'>): Promise<void> => {
  const pages: ServerPage[] = [];
  const ask = async (): Promise<void> => {
    const options = { strategy: RequestStrategy.JitterTimer, maxWait: 3000, jitter: 200 };
    for await (const reply of await system.requestMany('$SYS.REQ.SERVER.PING.JSZ', JSON.stringify({ config: true }), options)) pages.push(reply.json<ServerPage>());
  };
  await ask().catch((cause: unknown) => {
    throw fault('unavailable', 'jetstream-unavailable', 'No NATS server tells about its JetStream; see whether they are up', { cause });
  });
  // A server of the cluster without JetStream holds nothing to lose.
  const holders = pages.filter(({ data }) => data?.config);
  if (holders.length === 0) throw fault('unavailable', 'jetstream-unavailable', 'No NATS server has JetStream enabled; add a jetstream block to nats.conf');
  const careless = holders.filter(({ data }) => data?.config?.sync_always !== true).map(({ server }) => server.name);
  if (careless.length === 0) return;
  throw fault('refused', 'nats-not-durable', `NATS would lose acknowledged events in a power cut; set sync_interval: always in the jetstream block of ${careless.join(', ')}`);
};
