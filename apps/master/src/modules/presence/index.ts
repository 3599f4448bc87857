/** Whether the agents are there: heartbeats in, events out. */
import { defineEvents } from '#event-store';
import type { PresenceEvent } from './domain/presence.events.ts';

export type { PresenceEvent } from './domain/presence.events.ts';
export { type PresenceState, presenceDecider } from './domain/presence.decide.ts';
export { DisconnectRow, HeartbeatRow } from './live/heartbeat.entity.ts';
export { AgentWordRow } from './live/agent-word.entity.ts';
export { AgentWords } from './live/agent-words.ts';
export { PresenceRow } from './read-models/presence.entity.ts';
export { presenceModel } from './read-models/presence.projection.ts';

/** Versions of this aggregate's events. */
export const presenceEvents = defineEvents<PresenceEvent>({ NodeConnected: [], NodeSuspected: [], NodeDisconnected: [], NodeDuplicated: [] });
