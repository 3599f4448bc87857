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
  /** Proxy (`http`, `https`, `socks5`, `socks5h`) for all that the agent says to masters and targets; holds no password. */
  readonly proxy?: string;
  /** PEM of the authority of the master's certificate. */
  readonly ca?: string;
  /** The agent may write anywhere, to restore to where files came from. */
  readonly restores?: boolean;
}

/** A link was handed out that lets one agent enrol as this node. Its token is in no event; the schema `vault` holds its hash. */
export type EnrolmentLinkIssued = DomainEvent<'EnrolmentLinkIssued', {
  readonly node: string;
  readonly expiresAt: string;
  readonly install?: InstallOptions;
  /** Of the links that were made with it at once; absent for a single one. */
  readonly batch?: string;
}>;
/** Spent, by the agent with this key. */
export type EnrolmentLinkConsumed = DomainEvent<'EnrolmentLinkConsumed', { readonly node: string; readonly publicKey: string }>;
/** Its time passed before an agent spent it. It opened nothing from that moment on; this says so in the log. */
export type EnrolmentLinkExpired = DomainEvent<'EnrolmentLinkExpired', { readonly node: string }>;
/** Taken back by an operator before an agent spent it. */
export type EnrolmentLinkRevoked = DomainEvent<'EnrolmentLinkRevoked', { readonly node: string }>;

export type EnrolmentEvent = EnrolmentLinkIssued | EnrolmentLinkConsumed | EnrolmentLinkExpired | EnrolmentLinkRevoked;
