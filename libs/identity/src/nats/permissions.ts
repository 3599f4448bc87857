import { fault } from '#kernel';

/** Every subject an agent may publish to or subscribe; nothing else. */
export interface AgentPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Prefix of an agent's reply subjects: the only inboxes it may listen on. */
export const inboxPrefixOf = (nodeId: string): string => `_INBOX_${nodeId}`;

/** Throws unless the text is a node id: as a subject it must never hold a dot or a wildcard. */
export const assertNodeId = (nodeId: string): void => {
  if (!/^node_[0-9a-z]{1,32}$/.test(nodeId)) throw fault('validation', 'invalid-node-id', 'A node id is node_ followed by lower-case letters and digits');
};

/** What the credential of this node allows on the bus. */
export const permissionsFor = (nodeId: string): AgentPermissions => {
  assertNodeId(nodeId);
  return {
    publish: [
      `hf.reports.${nodeId}.>`, `hf.heartbeat.${nodeId}`, `hf.logs.${nodeId}.>`, `hf.progress.${nodeId}.>`, `hf.ask.${nodeId}.>`,
      `$JS.API.CONSUMER.MSG.NEXT.COMMANDS.${nodeId}`,
      // Both forms of the ack subject: servers change from the short to the long one.
      `$JS.ACK.COMMANDS.${nodeId}.>`, `$JS.ACK.*.*.COMMANDS.${nodeId}.>`,
    ],
    subscribe: [`${inboxPrefixOf(nodeId)}.>`, `hf.rpc.${nodeId}.>`],
  };
};

/** Largest message of an agent in bytes: a report that names 100,000 packs fits. */
export const agentPayloadLimit = 8 * 1024 * 1024;

/** The user part of a node's token. Answers to rpc requests are bounded in number and time. */
export const nodeUserClaims = (nodeId: string) => {
  const { publish, subscribe } = permissionsFor(nodeId);
  return {
    type: 'user' as const,
    pub: { allow: publish, deny: [] },
    sub: { allow: subscribe, deny: [] },
    resp: { max: 100, ttl: 60_000_000_000 },
    subs: 64,
    data: -1,
    payload: agentPayloadLimit,
    allowed_connection_types: ['STANDARD', 'WEBSOCKET'],
  };
};
