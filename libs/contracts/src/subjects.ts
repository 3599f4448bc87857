/** Every subject of the bus, built in one place. `<nodeId>` and `<runId>` are ids of ours, so they need no escaping. */
export const subjects = {
  event: (aggregate: string, id: string): string => `hf.events.${aggregate}.${id}`,
  allEvents: 'hf.events.>',
  command: (node: string, verb: string): string => `hf.commands.${node}.${verb}`,
  commandsOf: (node: string): string => `hf.commands.${node}.>`,
  allCommands: 'hf.commands.>',
  report: (node: string, run: string): string => `hf.reports.${node}.${run}`,
  allReports: 'hf.reports.>',
  heartbeat: (node: string): string => `hf.heartbeat.${node}`,
  allHeartbeats: 'hf.heartbeat.*',
  log: (node: string, run: string): string => `hf.logs.${node}.${run}`,
  allLogs: 'hf.logs.>',
  progress: (node: string, run: string): string => `hf.progress.${node}.${run}`,
  allProgress: 'hf.progress.*.*',
  rpc: (node: string, method: string): string => `hf.rpc.${node}.${method}`,
  ask: (node: string, method: string): string => `hf.ask.${node}.${method}`,
  allAsks: 'hf.ask.*.*',
} as const;

/** Names of the streams, as an operator sees them in the JetStream CLI. */
export const streams = {
  events: 'EVENTS',
  reports: 'REPORTS',
  commands: 'COMMANDS',
  heartbeats: 'HEARTBEATS',
  logs: 'LOGS',
  advisories: 'ADVISORIES',
} as const;

/** The one durable consumer on REPORTS that all masters share. */
export const reportsConsumer = 'masters';

/** The version of everything on the bus. A master answers older ones inside its window and refuses others by name. */
export const protocolVersion = 1;

/** The node id in a subject `hf.<kind>.<nodeId>...`, which the credential enforces; undefined for a foreign subject. */
export const nodeOfSubject = (subject: string): string | undefined => {
  const [root, , node] = subject.split('.');
  return root === 'hf' ? node : undefined;
};
