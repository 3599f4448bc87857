import type { DomainEvent } from '#event-store';

/** Free words by which tasks choose nodes: `{ "site": "vienna" }`. */
export type Labels = Readonly<Record<string, string>>;

/** What an agent said of its host when it enrolled. Shown, never trusted. */
export interface HostFacts {
  readonly hostname: string;
  /** `process.platform` and `process.arch` of the agent. */
  readonly platform: string;
  readonly arch: string;
  readonly agentVersion: string;
  /** What agents since say more. */
  readonly os?: string;
  readonly kernel?: string;
  readonly cpus?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly installMode?: string;
}

/** An operator has announced a host; nothing runs there yet. */
export type NodeAdded = DomainEvent<'NodeAdded', { readonly name: string; readonly labels: Labels; readonly slots: number }>;
/** An agent has proved with a link that it is this node. Enrolling again replaces its key and recipient. */
export type NodeEnrolled = DomainEvent<'NodeEnrolled', {
  /** NATS user key, `U...`. */
  readonly publicKey: string;
  /** age recipient of the agent's own key, `age1...`: secrets for it are sealed to this. */
  readonly recipient: string;
  readonly host: HostFacts;
}>;
/** A rotation has replaced the node's NATS key; its recipient stays. */
export type NodeKeyReplaced = DomainEvent<'NodeKeyReplaced', { readonly publicKey: string }>;
/** What was changed, and only that. */
export type NodeChanged = DomainEvent<'NodeChanged', { readonly name?: string; readonly labels?: Labels; readonly slots?: number }>;
/** No new run begins there. */
export type NodeDrained = DomainEvent<'NodeDrained', { readonly reason: string }>;
export type NodeResumed = DomainEvent<'NodeResumed', Readonly<Record<string, never>>>;
/** Out of service: no work begins there, nobody's schedule makes it any, and its silence is no alarm. */
export type NodeDisabled = DomainEvent<'NodeDisabled', { readonly reason: string }>;
export type NodeEnabled = DomainEvent<'NodeEnabled', Readonly<Record<string, never>>>;
/** Final. Its snapshots stay. */
export type NodeRemoved = DomainEvent<'NodeRemoved', { readonly name: string }>;

export type NodeEvent = NodeAdded | NodeEnrolled | NodeKeyReplaced | NodeChanged | NodeDrained | NodeResumed | NodeDisabled | NodeEnabled | NodeRemoved;
