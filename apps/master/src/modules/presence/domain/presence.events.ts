import type { DomainEvent } from '#event-store';

/** The node is heard of: for the first time, again, with another state directory or another version. Times are the bus servers' or the masters'. */
export type NodeConnected = DomainEvent<'NodeConnected', { readonly instance: string; readonly version: string; readonly hostname: string }>;
/** Its connection ended; it has a moment to come back. */
export type NodeSuspected = DomainEvent<'NodeSuspected', { readonly reason: string }>;
/** It has not come back, or has been silent for too long. */
export type NodeDisconnected = DomainEvent<'NodeDisconnected', { readonly reason: string; readonly lastSeen: string }>;
/** Two state directories speak as one node at the same time: a cloned machine or a stolen credential. */
export type NodeDuplicated = DomainEvent<'NodeDuplicated', { readonly instance: string; readonly other: string; readonly otherHostname: string }>;

export type PresenceEvent = NodeConnected | NodeSuspected | NodeDisconnected | NodeDuplicated;
