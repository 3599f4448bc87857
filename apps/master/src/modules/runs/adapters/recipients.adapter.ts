import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { KEYS } from '../../../platform/index.ts';
import { RecoveryRecipients } from '../../installation/index.ts';
import type { Recipients } from '../ports.ts';

/** The recipients of the installation's own keys, and those of recovery. */
@Injectable()
export class KeyRecipients implements Recipients {
  constructor(@Inject(KEYS) private readonly keys: InstallationKeys, private readonly recovery: RecoveryRecipients) {}

  async current(): Promise<{ readonly data: readonly string[]; readonly catalog: readonly string[] }> {
    const added = await this.recovery.list();
    const of = (kind: 'data' | 'catalog'): string[] => added.filter((one) => one.class === kind).map(({ recipient }) => recipient);
    return { data: [this.keys.data.recipient, ...of('data')], catalog: [this.keys.catalog.recipient, ...of('catalog')] };
  }
}
