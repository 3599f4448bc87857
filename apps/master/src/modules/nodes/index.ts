/** The protected hosts: what they are called, how many runs they take, whether new ones may begin there. */
import { defineEvents } from '#event-store';
import type { NodeEvent } from './domain/node.events.ts';

export type { HostFacts, Labels, NodeEvent } from './domain/node.events.ts';
export type { KnownNode, NodeState } from './domain/node.state.ts';
export { type NodeCommand, nodeDecider } from './domain/node.decide.ts';
export { type WorkFacts, mayNotWorkCodes, mayWork, outOfServiceCodes } from './domain/may-work.ts';
export { NodeViews } from './node-views.ts';
export type { NodeAnswer } from './http/node.dto.ts';
export { NodeRow } from './read-models/node.entity.ts';
export { nodesModel } from './read-models/nodes.projection.ts';
export { NodeLookup, type NodeView } from './node-lookup.ts';
export { NodeCommands } from './node-commands.ts';
export { AgentVersions } from './agent-versions.ts';
export { FleetCounter, type FleetCounts } from './fleet-counts.query.ts';
export { compareVersions } from './domain/agent-window.ts';

/** Versions of this aggregate's events. */
export const nodeEvents = defineEvents<NodeEvent>({
  NodeAdded: [], NodeEnrolled: [], NodeKeyReplaced: [], NodeChanged: [], NodeDrained: [], NodeResumed: [], NodeDisabled: [], NodeEnabled: [], NodeRemoved: [],
});
