import { Inject, Injectable } from '@nestjs/common';
import { isAgeRecipient } from '#identity';
import { type Clock, type IdSource, fault, ok } from '#kernel';
import { CLOCK, type CommandContext, Commands, IDS, INSTALLATION, systemContext } from '../../platform/index.ts';
import { type RecoveryRecipient, installationDecider } from './domain/installation.ts';

/** Who may recover backups beside the masters: above all an identity that lies offline. */
@Injectable()
export class RecoveryRecipients {
  constructor(
    private readonly commands: Commands,
    @Inject(INSTALLATION) private readonly installation: string,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  /** Throws `invalid-recipient` and `too-many-recipients`; one that is there already stays as it is. */
  async add(context: CommandContext, recipient: RecoveryRecipient): Promise<void> {
    if (!isAgeRecipient(recipient.recipient)) {
      throw fault('validation', 'invalid-recipient', 'An age recipient begins with age1; copy the whole of it. Never send the identity (AGE-SECRET-KEY-...)');
    }
    await this.commands.execute(context, (unit) => unit.decide(installationDecider, this.installation, { type: 'AddRecoveryRecipient', ...recipient }));
  }

  /** All of them, as fresh as an append. */
  async list(): Promise<readonly RecoveryRecipient[]> {
    const context = systemContext(this.clock, 'read', this.ids.next('cmd'));
    const { value } = await this.commands.execute(context, async (unit) => ok((await unit.load(installationDecider, this.installation)).state.recipients));
    return value;
  }
}
