import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { fault } from '#kernel';
import { type KeyRing, type UnwrappedKey, identityKeys, objectPrefixes, parseObjectName, sealKeys } from '#repository';
import type { ObjectStore } from '#storage';
import { KEYS } from '../../../platform/index.ts';
import { type RestoreKeys, type RestoreKeysRequest, TARGET_ACCESS, type TargetAccess } from '../ports.ts';

const classes = [['id', objectPrefixes.idKeys], ['data', objectPrefixes.dataKeys], ['catalog', objectPrefixes.catalogKeys]] as const;
/** Keys unwrapped at the same time. */
const parallel = 16;

/**
 * Unwraps the keys of a repository with the installation's data identity and seals them to one agent. A snapshot shares frames with
 * those before it, so the keys of all attempts are handed over: for this node's repository, to an agent that may restore it.
 */
@Injectable()
export class IdentityRestoreKeys implements RestoreKeys {
  constructor(@Inject(TARGET_ACCESS) private readonly targets: TargetAccess, @Inject(KEYS) private readonly keys: InstallationKeys) {}

  async seal({ target, node, recipient }: RestoreKeysRequest): Promise<string> {
    const { identity } = this.keys.data;
    if (identity === undefined) {
      throw fault('refused', 'key-not-available', 'The masters may not read backups of this installation; restore with: holdfast repo restore --identity FILE');
    }
    const { store } = await this.targets.open(target, node);
    const unwrapped = await this.unwrapAll(store, identityKeys(store, [identity]));
    return (await sealKeys(unwrapped, recipient)).toString('base64');
  }

  private async unwrapAll(store: ObjectStore, ring: KeyRing): Promise<UnwrappedKey[]> {
    const wanted: { readonly keyClass: UnwrappedKey['class']; readonly id: string }[] = [];
    for (const [keyClass, prefix] of classes) {
      const ids = new Set<string>();
      for await (const { name } of store.list(prefix)) ids.add(parseObjectName(name)?.id ?? '');
      ids.delete('');
      wanted.push(...[...ids].map((id) => ({ keyClass, id })));
    }
    const unwrapped: UnwrappedKey[] = [];
    for (let from = 0; from < wanted.length; from += parallel) {
      const batch = wanted.slice(from, from + parallel);
      unwrapped.push(...await Promise.all(batch.map(async ({ keyClass, id }) => ({ class: keyClass, key: await ring.get(keyClass, id) }))));
    }
    return unwrapped;
  }
}
