/**
 * Bump when the exports, imports or limits below change: masters of an older version then leave the accounts alone.
 */
export const accountLayout = 1;

/** A revoked credential of a node. */
export interface RevokedKey {
  /** The node's public key, `U...`. */
  readonly publicKey: string;
  /** Seconds since 1970: tokens issued until then are worthless. */
  readonly revokedAt: number;
  /** Seconds since 1970 at which the last token of this key expires by itself; the revocation may be forgotten afterwards. */
  readonly expiresAt: number;
}

/** Everything that the claims of AGENTS are made from: a fold of the credential events. */
export interface CredentialState {
  /** Stream sequence of the last event that is in it. */
  readonly sequence: number;
  /** Seconds since 1970: time of record of that event. */
  readonly time: number;
  readonly revoked: readonly RevokedKey[];
}

const unlimited = { conn: -1, subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, leaf: 0 };
const jetstream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

/**
 * What agents reach across the border of their account. CONTROL owns JetStream and AGENTS has none, so the reply subject of
 * whatever an agent publishes is routed inside AGENTS: in one account an agent could aim the server's acknowledgement at a
 * subject of another node.
 */
const services = [
  ['$JS.API.CONSUMER.MSG.NEXT.COMMANDS.*', 'Stream'],
  ['$JS.ACK.COMMANDS.>', 'Singleton'],
  ['$JS.ACK.*.*.COMMANDS.>', 'Singleton'],
  ['hf.reports.*.>', 'Singleton'],
  ['hf.heartbeat.*', 'Singleton'],
  ['hf.logs.*.>', 'Singleton'],
  ['hf.progress.*.>', 'Singleton'],
  ['hf.ask.*.>', 'Singleton'],
] as const;

const rpc = 'hf.rpc.>';

const tag = { layout: 'hf-layout', sequence: 'hf-sequence' } as const;
const tags = (sequence: number): readonly string[] => [`${tag.layout}:${accountLayout}`, `${tag.sequence}:${sequence}`];

/** Where an account's claims come from, read from their tags. */
export interface ClaimsOrigin {
  readonly layout: number;
  readonly sequence: number;
}

/** Reads the tags; -1 for claims that are not of ours. */
export const originOf = (nats: Readonly<Record<string, unknown>>): ClaimsOrigin => {
  const list = Array.isArray(nats['tags']) ? (nats['tags'] as unknown[]).map(String) : [];
  const number = (name: string): number => {
    const text = list.find((entry) => entry.startsWith(`${name}:`))?.slice(name.length + 1) ?? '';
    return /^\d{1,15}$/.test(text) ? Number(text) : -1;
  };
  return { layout: number(tag.layout), sequence: number(tag.sequence) };
};

/** Claims of SYSTEM. */
export const systemAccount = () => ({ type: 'account' as const, limits: unlimited });

/** Claims of CONTROL: owns JetStream, holds the masters, exports what agents need. */
export const controlAccount = (agents: string) => ({
  type: 'account' as const,
  limits: { ...unlimited, ...jetstream },
  tags: tags(0),
  exports: services.map(([subject, response], i) => ({ name: `s${i}`, subject, type: 'service', response_type: response })),
  imports: [{ name: 'rpc', subject: rpc, account: agents, type: 'service', local_subject: rpc }],
});

/** Claims of AGENTS: a pure function of the credential events. Revocations of tokens that have expired are left out. */
export const agentsAccount = (control: string, state: CredentialState) => ({
  type: 'account' as const,
  limits: unlimited,
  tags: tags(state.sequence),
  exports: [{ name: 'rpc', subject: rpc, type: 'service', response_type: 'Stream' }],
  imports: services.map(([subject], i) => ({ name: `i${i}`, subject, account: control, type: 'service', local_subject: subject })),
  revocations: Object.fromEntries(
    state.revoked
      .filter(({ expiresAt }) => expiresAt > state.time)
      .map(({ publicKey, revokedAt }) => [publicKey, revokedAt] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ),
});
