import type { DomainEvent } from '#event-store';

/** What the script of a link does on the host. */
export interface InstallOptions {
  /** As a service of systemd, in a container, or until Ctrl-C. */
  readonly mode: 'systemd' | 'docker' | 'foreground';
  /** `auto`: that of the host. */
  readonly arch: 'auto' | 'amd64' | 'arm64';
  /** Version of the agent; `current` is the master's. */
  readonly version: string;
  /** How this host reaches a master, when not by the public URL. */
  readonly master?: string;
  /** HTTP proxy for what goes to the master; holds no password. */
  readonly proxy?: string;
  /** PEM of the authority of the master's certificate. */
  readonly ca?: string;
  /** The agent may write anywhere, to restore to where files came from. */
  readonly restores?: boolean;
}

/** A link was handed out that lets one agent enrol as this node. Its token is in no event; the schema `vault` holds its hash. */
export type EnrolmentLinkIssued = DomainEvent<'EnrolmentLinkIssued', { readonly node: string; readonly expiresAt: string; readonly install?: InstallOptions }>;
/** Spent, by the agent with this key. */
export type EnrolmentLinkConsumed = DomainEvent<'EnrolmentLinkConsumed', { readonly node: string; readonly publicKey: string }>;
/** Its time passed before an agent spent it. It opened nothing from that moment on; this says so in the log. */
export type EnrolmentLinkExpired = DomainEvent<'EnrolmentLinkExpired', { readonly node: string }>;

export type EnrolmentEvent = EnrolmentLinkIssued | EnrolmentLinkConsumed | EnrolmentLinkExpired;
