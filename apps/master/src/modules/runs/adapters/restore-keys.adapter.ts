import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { fault } from '#kernel';
import { type RestoreNeeds, identityKeys, restoreNeeds, sealKeys } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { type RestoreKeys, type RestorePlace, TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import { RecentDirectories } from './recent-directories.ts';

/** Attempts whose needs are kept: what repeats a claim, and what asks for packs, must not read the snapshot again. */
const keptAttempts = 8;

/** Unwraps the keys of one snapshot with the installation's data identity and seals them to one agent; no other snapshot opens with them. */
@Injectable()
export class IdentityRestoreKeys implements RestoreKeys {
  private readonly known = new Map<string, Promise<RestoreNeeds>>();

  constructor(
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    private readonly directories: RecentDirectories,
  ) {}

  async seal(place: RestorePlace, recipient: string): Promise<string> {
    const { keys } = await this.needs(place);
    return (await sealKeys(keys, recipient)).toString('base64');
  }

  async packs(place: RestorePlace): Promise<readonly string[]> {
    const { packs } = await this.needs(place);
    return packs.map(({ name }) => name).sort();
  }

  private needs(place: RestorePlace): Promise<RestoreNeeds> {
    const { claim } = place;
    const known = this.known.get(claim);
    if (known) return known;
    const reading = this.read(place);
    this.known.set(claim, reading);
    reading.catch(() => this.known.delete(claim));
    for (const oldest of this.known.keys()) if (this.known.size > keptAttempts) this.known.delete(oldest);
    return reading;
  }

  private async read({ target, node, snapshotObject }: RestorePlace): Promise<RestoreNeeds> {
    const { identity } = this.keys.data;
    if (identity === undefined) {
      throw fault('refused', 'key-not-available', 'The masters may not read backups of this installation; restore with: holdfast repo restore --identity FILE');
    }
    const { store } = await this.targets.open(target, node);
    return restoreNeeds({ store, keys: identityKeys(store, [identity]), snapshotObject, cache: this.directories });
  }
}
