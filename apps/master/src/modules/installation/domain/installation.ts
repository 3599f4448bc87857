import type { Decider, DomainEvent } from '#event-store';
import { ok } from '#kernel';

/** The first event of every log: which installation it is the log of. */
export type InstallationCreated = DomainEvent<'InstallationCreated', { readonly version: string }>;

/** Whether the log has its first event. */
export type InstallationState = { readonly status: 'absent' | 'created' };

/** Creates the installation once. */
export const installationDecider: Decider<InstallationState, { readonly type: 'CreateInstallation'; readonly version: string }, InstallationCreated> = {
  aggregate: 'installation',
  initialState: { status: 'absent' },
  evolve: () => ({ status: 'created' }),
  decide: ({ version }, { status }) => ok(status === 'absent' ? [{ type: 'InstallationCreated', data: { version } }] : []),
};
