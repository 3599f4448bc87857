import type { Decider, DomainEvent } from '#event-store';
import { type Refusal, type Result, err, ok, refuse, unreachable } from '#kernel';

/** The first event of every log: which installation it is the log of. */
export type InstallationCreated = DomainEvent<'InstallationCreated', { readonly version: string }>;
/** Every attempt that begins from now on wraps its keys to this age public key too; repositories that exist get another wrapping of theirs. */
export type RecoveryRecipientAdded = DomainEvent<'RecoveryRecipientAdded', { readonly class: 'data' | 'catalog'; readonly recipient: string }>;

export type InstallationEvent = InstallationCreated | RecoveryRecipientAdded;

/** An age public key beside the installation's own. `data`: may read; `catalog`: may only collect garbage. */
export type RecoveryRecipient = RecoveryRecipientAdded['data'];

/** Whether the log has its first event, and who may recover beside the masters. */
export interface InstallationState {
  readonly status: 'absent' | 'created';
  readonly recipients: readonly RecoveryRecipient[];
}

export type InstallationCommand =
  | { readonly type: 'CreateInstallation'; readonly version: string }
  | ({ readonly type: 'AddRecoveryRecipient' } & RecoveryRecipient);

/** Every recipient makes every wrapped key longer, which has a limit. */
const mostRecipients = 16;

const add = ({ class: kind, recipient }: RecoveryRecipient, { recipients }: InstallationState): Result<readonly InstallationEvent[], Refusal> => {
  if (recipients.some((known) => known.recipient === recipient && known.class === kind)) return ok([]);
  if (recipients.length >= mostRecipients) return err(refuse('refused', 'too-many-recipients', `There are ${mostRecipients} recovery recipients already`));
  return ok([{ type: 'RecoveryRecipientAdded', data: { class: kind, recipient } }]);
};

/** The installation: created once; recovery recipients are only ever added. */
export const installationDecider: Decider<InstallationState, InstallationCommand, InstallationEvent> = {
  aggregate: 'installation',
  initialState: { status: 'absent', recipients: [] },
  evolve: (state, event) => {
    switch (event.type) {
      case 'InstallationCreated':
        return { ...state, status: 'created' };
      case 'RecoveryRecipientAdded':
        return { ...state, recipients: [...state.recipients, { class: event.data.class, recipient: event.data.recipient }] };
      default:
        return unreachable(event, 'installation event');
    }
  },
  decide: (command, state) => {
    switch (command.type) {
      case 'CreateInstallation':
        return ok(state.status === 'absent' ? [{ type: 'InstallationCreated', data: { version: command.version } }] : []);
      case 'AddRecoveryRecipient':
        return add(command, state);
      default:
        return unreachable(command, 'installation command');
    }
  },
};
