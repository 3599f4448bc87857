import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { KEYS } from '../../../platform/index.ts';
import type { Recipients } from '../ports.ts';

/** The recipients of the installation's own keys. Those of recovery are added to each repository by `RecipientAdded`. */
@Injectable()
export class KeyRecipients implements Recipients {
  constructor(@Inject(KEYS) private readonly keys: InstallationKeys) {}

  current(): Promise<{ readonly data: readonly string[]; readonly catalog: readonly string[] }> {
    return Promise.resolve({ data: [this.keys.data.recipient], catalog: [this.keys.catalog.recipient] });
  }
}
