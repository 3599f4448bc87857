import { type Msg, type NatsConnection, RequestStrategy } from 'nats';
import { fault } from '#kernel';
import type { ClaimsResolver, KnownServers } from './claims-reconciler.ts';

interface UpdateAnswer {
  readonly server?: { readonly name?: string };
  readonly data?: { readonly code?: number; readonly message?: string };
  readonly error?: { readonly code?: number; readonly description?: string };
}

interface JetStreamPage {
  readonly server: { readonly name: string };
  readonly data?: { readonly meta_cluster?: { readonly replicas?: readonly { readonly name: string }[] } };
}

const silent = (cause?: unknown) =>
  fault('unavailable', 'claims-unavailable', 'The NATS servers do not answer about accounts; check that they run in operator mode with a full resolver', { cause });

/** Waits for so many answers, 2 s at most; when nobody knows how many, 3 s for the first and then until 150 ms pass without another. */
const patience = (servers: number | undefined) => servers === undefined
  ? { strategy: RequestStrategy.JitterTimer, maxWait: 3000, jitter: 150 }
  : { strategy: RequestStrategy.Count, maxMessages: servers, maxWait: 2000 };

/** Every server of a cluster answers for itself. */
const askAll = async (connection: Pick<NatsConnection, 'requestMany'>, request: { readonly subject: string; readonly content?: string; readonly servers?: number | undefined }): Promise<readonly Msg[]> => {
  const answers: Msg[] = [];
  try {
    const replies = await connection.requestMany(request.subject, request.content, patience(request.servers));
    for await (const reply of replies) answers.push(reply);
  } catch (cause) {
    throw silent(cause);
  }
  return answers;
};

const some = (answers: readonly Msg[]): readonly Msg[] => {
  if (answers.length === 0) throw silent();
  return answers;
};

const took = ({ data }: UpdateAnswer): boolean => data?.code === 200;

/** The resolver behind a connection of a SYSTEM user. */
export const natsClaimsResolver = (connection: Pick<NatsConnection, 'requestMany'>): ClaimsResolver => {
  /** Members of the JetStream cluster but its leader, as the leader knew them last: while there is none nobody can say who is missing. */
  let members: readonly string[] = [];
  const servers = async (): Promise<KnownServers> => {
    const pages = some(await askAll(connection, { subject: '$SYS.REQ.SERVER.PING.JSZ', content: '{}' })).map((reply) => reply.json<JetStreamPage>());
    members = pages.find(({ data }) => data?.meta_cluster?.replicas)?.data?.meta_cluster?.replicas?.map(({ name }) => name) ?? members;
    const present = pages.map(({ server }) => server.name).sort();
    return { present, away: members.filter((name) => !present.includes(name)).sort() };
  };
  return {
    servers,
    lookup: async (account, expected) => (await askAll(connection, { subject: `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`, servers: expected })).map((reply) => reply.string()),
    push: async (token, expected) => {
      const answers = some(await askAll(connection, { subject: '$SYS.REQ.CLAIMS.UPDATE', content: token, servers: expected })).map((reply) => reply.json<UpdateAnswer>());
      const names = answers.filter(took).map(({ server }) => server?.name ?? '');
      const refusals = answers.filter((answer) => !took(answer));
      const [first] = refusals;
      if (names.length > 0 || !first) return names;
      throw fault('unavailable', 'claims-refused', 'The NATS servers refused the account claims; the operator key of nats.conf must be the one of the key folder', {
        internal: JSON.stringify(first.error ?? first.data), retryable: false,
      });
    },
  };
};
