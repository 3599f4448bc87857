import type { DomainEvent } from '#event-store';

/** A link was handed out that lets one agent enrol as this node. Its token is in no event; the schema `vault` holds its hash. */
export type EnrolmentLinkIssued = DomainEvent<'EnrolmentLinkIssued', { readonly node: string; readonly expiresAt: string }>;
/** Spent, by the agent with this key. */
export type EnrolmentLinkConsumed = DomainEvent<'EnrolmentLinkConsumed', { readonly node: string; readonly publicKey: string }>;
/** Its time passed before an agent spent it. It opened nothing from that moment on; this says so in the log. */
export type EnrolmentLinkExpired = DomainEvent<'EnrolmentLinkExpired', { readonly node: string }>;

export type EnrolmentEvent = EnrolmentLinkIssued | EnrolmentLinkConsumed | EnrolmentLinkExpired;
