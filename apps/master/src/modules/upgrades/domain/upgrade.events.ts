import type { DomainEvent } from '#event-store';

/** The agent of this node is to run another version. A later order takes the place of an earlier one. */
export type NodeUpgradeOrdered = DomainEvent<'NodeUpgradeOrdered', {
  /** Id of the order. */
  readonly upgrade: string;
  readonly version: string;
  /** SHA-256 (hex) and bytes of the file that the agent is to run. */
  readonly sha256: string;
  readonly size: number;
  /** Version at that moment, as far as it was known. */
  readonly from?: string;
}>;
/** The new version runs, and has been confirmed by a master. */
export type NodeUpgraded = DomainEvent<'NodeUpgraded', { readonly upgrade: string; readonly version: string; readonly from?: string }>;
/** The agent runs what it ran before, and says why. */
export type NodeUpgradeFailed = DomainEvent<'NodeUpgradeFailed', { readonly upgrade: string; readonly version: string; readonly code: string; readonly detail: string }>;

export type UpgradeEvent = NodeUpgradeOrdered | NodeUpgraded | NodeUpgradeFailed;
