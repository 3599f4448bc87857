import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { exportKnownChunks, identityKeys } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { type KnownChunks, type KnownChunksPlace, TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import { RecentDirectories } from './recent-directories.ts';

/** Attempts whose list is remembered: a question that is repeated must not read the directories of all packs again. */
const keptAttempts = 64;

/** Makes the list from the directories of the repository's packs, with the catalog identity: ids only, which tell nothing by themselves. The next prune removes it. */
@Injectable()
export class StoredKnownChunks implements KnownChunks {
  private readonly made = new Map<string, Promise<string>>();

  constructor(
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    private readonly directories: RecentDirectories,
  ) {}

  prepare(place: KnownChunksPlace): Promise<string> {
    const known = this.made.get(place.claim);
    if (known) return known;
    const making = this.make(place);
    this.made.set(place.claim, making);
    making.catch(() => this.made.delete(place.claim));
    for (const oldest of this.made.keys()) if (this.made.size > keptAttempts) this.made.delete(oldest);
    return making;
  }

  private async make({ target, node, repositoryId }: KnownChunksPlace): Promise<string> {
    const { store } = await this.targets.open(target, node);
    const list = await exportKnownChunks({ store, keys: identityKeys(store, [this.keys.catalog.identity]), repositoryId, cache: this.directories });
    await store.put(list.name, list.body, { sha256: list.sha256 });
    return list.name;
  }
}
