import { controlNode } from '#kernel';

/** The streams of an installation. */
const streams = ['EVENTS', 'REPORTS', 'COMMANDS', 'HEARTBEATS', 'LOGS', 'ADVISORIES'];
/** Loaded when it is needed: its decorators would keep plain Node processes of tests from loading this library. */
const contracts = () => import('#contracts');

/** A node's name in subjects, and that of another node. */
interface Nodes {
  readonly mine: string;
  readonly other: string;
}

/** JetStream's API, subject by subject, as nats-server 2.15 has it (server/jetstream_api.go). */
const streamCalls = [
  'CREATE', 'UPDATE', 'INFO', 'DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE', 'MSG.GET', 'MSG.DELETE', 'PEER.REMOVE', 'LEADER.STEPDOWN', 'TEMPLATE.CREATE', 'TEMPLATE.INFO', 'TEMPLATE.DELETE',
];
const consumerCalls = ['CREATE', 'DURABLE.CREATE', 'INFO', 'DELETE', 'PAUSE', 'UNPIN', 'RESET', 'LEADER.STEPDOWN', 'MSG.NEXT'];
const accountCalls = [
  'INFO', 'STREAM.NAMES', 'STREAM.LIST', 'STREAM.TEMPLATE.NAMES', 'STREAM.TEMPLATE.LIST', 'META.LEADER.STEPDOWN', 'SERVER.REMOVE', 'ACCOUNT.PURGE.X',
  'ACCOUNT.STREAM.MOVE.X.EVENTS', 'ACCOUNT.STREAM.CANCEL_MOVE.X.EVENTS',
];
const jetStream = ({ mine, other }: Nodes): string[] => [
  ...accountCalls.map((call) => `$JS.API.${call}`),
  ...streams.flatMap((stream) => [
    ...streamCalls.map((call) => `$JS.API.STREAM.${call}.${stream}`),
    `$JS.API.DIRECT.GET.${stream}`, `$JS.API.DIRECT.GET.${stream}.hf.events.run.run_1`,
    `$JS.API.CONSUMER.CREATE.${stream}`, `$JS.API.CONSUMER.NAMES.${stream}`, `$JS.API.CONSUMER.LIST.${stream}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${mine}.hf.commands.${other}.>`,
    ...[mine, other, controlNode, 'masters'].flatMap((name) => consumerCalls.map((call) => `$JS.API.CONSUMER.${call}.${stream}.${name}`)),
    ...[mine, other, controlNode, 'masters'].flatMap((name) => [`$JS.ACK.${stream}.${name}.1.1.1.1.1`, `$JS.ACK._.x.${stream}.${name}.1.1.1.1.1`]),
  ]),
  `$JS.FC.COMMANDS.${mine}.x`, '$JS.SNAPSHOT.ACK.EVENTS.x', '$JS.SNAPSHOT.RESTORE.EVENTS.x', '$JS.hub.API.INFO', '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.COMMANDS.x',
];

/** What the right of a node on JetStream is: its own commands, and nothing else. */
const allowedOnJetStream = ({ mine }: Nodes): readonly string[] =>
  [`$JS.API.CONSUMER.MSG.NEXT.COMMANDS.${mine}`, `$JS.ACK.COMMANDS.${mine}.1.1.1.1.1`, `$JS.ACK._.x.COMMANDS.${mine}.1.1.1.1.1`];

const ours = ({ mine, other }: Nodes, { askMethods, rpcMethods }: Awaited<ReturnType<typeof contracts>>): string[] => [
  'hf.events.run.run_1', `hf.events.node.${mine}`, `hf.events.credential.x`, 'hf.events.x',
  ...['backup', 'restore', 'verify', 'prune', 'stop', 'rotate', 'upgrade'].flatMap((verb) => [mine, other, controlNode].map((node) => `hf.commands.${node}.${verb}`)),
  ...[other, controlNode].flatMap((node) => [
    `hf.reports.${node}.run_1`, `hf.heartbeat.${node}`, `hf.logs.${node}.run_1`, `hf.progress.${node}.run_1`,
    ...askMethods.map((method) => `hf.ask.${node}.${method}`),
  ]),
  ...rpcMethods.flatMap((method) => [mine, other, controlNode].map((node) => `hf.rpc.${node}.${method}`)),
  `hf.reports.${mine}`, `hf.heartbeat.${mine}.x`, 'hf.heartbeat', `hf.ask.${mine}`, `hf.logs.${mine}`, `hf.${mine}.x`, 'hf.x',
  `_INBOX_${other}.x`, '_INBOX.x', `_INBOX_${mine}.x`, `_INBOX_${mine}x.y`,
];

const servers = [
  ...['UPDATE', 'LIST', 'DELETE', 'PACK'].map((call) => `$SYS.REQ.CLAIMS.${call}`), '$SYS.REQ.ACCOUNT.X.CLAIMS.LOOKUP', '$SYS.REQ.ACCOUNT.X.CLAIMS.UPDATE', '$SYS.ACCOUNT.X.CLAIMS.UPDATE',
  ...['CONNZ', 'SUBSZ', 'INFO', 'LEAFZ', 'JSZ', 'CONNS'].map((call) => `$SYS.REQ.ACCOUNT.X.${call}`), '$SYS.REQ.ACCOUNT.PING.STATZ', '$SYS.REQ.ACCOUNT.PING.CONNZ',
  '$SYS.REQ.SERVER.PING', ...['STATSZ', 'VARZ', 'JSZ', 'CONNZ', 'ACCOUNTZ', 'HEALTHZ', 'IDZ', 'RELOAD', 'KICK', 'LDM'].flatMap((call) => [`$SYS.REQ.SERVER.PING.${call}`, `$SYS.REQ.SERVER.X.${call}`]),
  '$SYS.REQ.USER.INFO', '$SYS.REQ.USER.AUTH', '$SYS.ACCOUNT.X.CONNECT', '$SYS.ACCOUNT.X.DISCONNECT', '$SYS.SERVER.X.SHUTDOWN', '$SYS.DEBUG.SUBSCRIBERS',
  '_R_.x.y', '_GR_.x.y', '$GNR.x', '$LDS.x', '$SRV.PING', '$KV.x.y', '$O.x.y', '$MQTT.x', 'anything', 'a.b',
];

/** Every subject to which the agent of node `mine` must not publish, reply or ask. */
export const forbiddenToPublish = async (nodes: Nodes): Promise<readonly string[]> => {
  const allowed = allowedOnJetStream(nodes);
  return [...new Set([...ours(nodes, await contracts()), ...jetStream(nodes), ...servers])].filter((subject) => !allowed.includes(subject));
};

/** Every subject to which it must not listen. */
export const forbiddenToSubscribe = ({ mine, other }: Nodes): readonly string[] => [
  '>', '*', '*.>', 'hf.>', 'hf.*', 'hf.*.*', 'hf.*.*.>', `hf.*.${mine}.>`,
  ...['events', 'commands', 'reports', 'heartbeat', 'logs', 'progress', 'ask', 'rpc'].flatMap((kind) => [`hf.${kind}.>`, `hf.${kind}.*`, `hf.${kind}.${other}.>`, `hf.${kind}.${other}`]),
  ...['events', 'commands', 'reports', 'heartbeat', 'logs', 'progress', 'ask'].map((kind) => `hf.${kind}.${mine}.>`),
  'hf.rpc.*.browse', `hf.rpc.*.>`, '_INBOX.>', '_INBOX.*', `_INBOX_${other}.>`, `_INBOX_${other}.x`, '_INBOX_*.>', '_R_.>', '_GR_.>', '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.EVENT.>', '$JS.FC.>',
  `$JS.API.CONSUMER.MSG.NEXT.COMMANDS.${mine}`, '$SYS.>', '$SYS.REQ.>', '$SYS.ACCOUNT.>', '$SRV.>', '$KV.>', '$O.>', 'anything',
];

/**
 * Subjects at which it must not be able to aim what somebody else answers it, by naming them as reply. Those of its own account are not
 * among them (`hf.rpc`, inboxes): there an answer arrives, and is not believed, because it is signed for another purpose and node.
 */
export const forbiddenToReplyTo = ({ other }: Nodes): readonly string[] => [
  'hf.events.run.run_9', 'hf.events.node.x', `hf.commands.${other}.restore`, `hf.reports.${other}.run_9`, `hf.heartbeat.${other}`, `hf.logs.${other}.x`,
  '$JS.API.STREAM.DELETE.LOGS', '$JS.API.STREAM.PURGE.EVENTS', `$JS.API.CONSUMER.DELETE.COMMANDS.${other}`, `hf.ask.${other}.claim`, '$SYS.REQ.CLAIMS.UPDATE',
];
