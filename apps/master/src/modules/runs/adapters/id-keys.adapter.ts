import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { hasCode } from '#kernel';
import { type Key, type KeyRing, identityKeys, objectPrefixes, parseObjectName, repositoryFileOf, sealKeys } from '#repository';
import type { ObjectStore } from '#storage';
import { KEYS } from '../../../platform/index.ts';
import type { RepositoryState } from '../../repositories/index.ts';
import { type IdKeys, TARGET_ACCESS, type TargetAccess } from '../ports.ts';

/**
 * Unwraps the id key with the installation's data identity. An agent stores the wrapped id key before it asks for the grant of
 * `repository.json`, so whatever became of that agent, the key of a repository that was begun is there: the one grant of
 * `repository.json` is then repeated for the same bytes, never given for others.
 */
@Injectable()
export class IdentityIdKeys implements IdKeys {
  constructor(@Inject(TARGET_ACCESS) private readonly targets: TargetAccess, @Inject(KEYS) private readonly keys: InstallationKeys) {}

  async seal({ target, node }: { readonly target: string; readonly node: string }, repository: RepositoryState, recipient: string): Promise<string | undefined> {
    const { identity } = this.keys.data;
    if (identity === undefined || (!repository.started && !repository.created)) return undefined;
    const { store } = await this.targets.open(target, node);
    const key = await this.find(store, identityKeys(store, [identity]), repository);
    return key && (await sealKeys([{ class: 'id', key }], recipient)).toString('base64');
  }

  private async find(store: ObjectStore, ring: KeyRing, { created, started }: RepositoryState): Promise<Key | undefined> {
    if (created) return ring.get('id', created.idKeyId);
    for await (const { name } of store.list(objectPrefixes.idKeys)) {
      const key = await this.unwrap(ring, parseObjectName(name)?.id ?? '');
      if (key && createHash('sha256').update(repositoryFileOf(key)).digest('hex') === started?.sha256) return key;
    }
    return undefined;
  }

  /** Others that lie there prove nothing. */
  private async unwrap(ring: KeyRing, id: string): Promise<Key | undefined> {
    try {
      return await ring.get('id', id);
    } catch (error) {
      if (hasCode(error, 'key-not-available') || hasCode(error, 'key-damaged')) return undefined;
      throw error;
    }
  }
}
