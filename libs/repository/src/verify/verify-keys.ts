import { isAppError } from '#kernel';
import type { ListingByKey, NamedObject, ObjectListing } from '../catalog/list-objects.ts';
import type { Key, KeyClass } from '../format/keys.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Findings } from './findings.ts';
import type { ListedSnapshot } from '../snapshots/list-snapshots.ts';

const folders: Readonly<Record<KeyClass, string>> = { id: 'id-key', data: 'keys', catalog: 'catalog-keys' };

export const wrappedKeysOf = (listing: ObjectListing): ListingByKey => {
  const byKey = new Map<string, NamedObject[]>();
  const kinds = [['id', 'id-key'], ['data', 'data-key'], ['catalog', 'catalog-key']] as const;
  for (const [keyClass, kind] of kinds) {
    for (const object of listing.kinds[kind]) {
      const key = `${keyClass} ${object.parsed.id}`;
      byKey.set(key, [...(byKey.get(key) ?? []), object]);
    }
  }
  return byKey;
};

/** Reports, for every snapshot, keys of its header that have no wrapping at all. Needs no identity. */
export const reportMissingKeys = (findings: Findings, byKey: ListingByKey, snapshots: readonly ListedSnapshot[]): void => {
  for (const { header } of snapshots) {
    const needed = [['id', header.idKey], ['data', header.dataKey], ['catalog', header.catalogKey]] as const;
    for (const [keyClass, keyId] of needed) {
      if (byKey.has(`${keyClass} ${keyId}`)) continue;
      findings.lose(addMissingKey(findings, keyClass, keyId), { snapshot: header.snapshot, whole: true });
    }
  }
};

export const addMissingKey = (findings: Findings, keyClass: KeyClass, keyId: string): string => findings.add(`${folders[keyClass]}/${keyId}/`, {
  kind: 'missing', code: 'key-missing', detail: `The target holds no wrapping of the ${keyClass} key ${keyId}; write it again from the run's event`,
});

/** A ring that asks once for each key and remembers what was wrong. `undefined`: this key cannot be had. */
export class AskedKeys {
  private readonly keys: KeyRing;
  private readonly asked = new Map<string, Promise<{ readonly key?: Key; readonly error?: unknown }>>();

  constructor(keys: KeyRing) {
    this.keys = keys;
  }

  async get(keyClass: KeyClass, keyId: string): Promise<Key | undefined> {
    return (await this.outcome(keyClass, keyId)).key;
  }

  /** What stood in the way; undefined when the key was had. */
  async error(keyClass: KeyClass, keyId: string): Promise<unknown> {
    return (await this.outcome(keyClass, keyId)).error;
  }

  private outcome(keyClass: KeyClass, keyId: string): Promise<{ readonly key?: Key; readonly error?: unknown }> {
    const name = `${keyClass} ${keyId}`;
    const running = this.asked.get(name);
    if (running) return running;
    const outcome = this.keys.get(keyClass, keyId).then((key) => ({ key }), (error: unknown) => ({ error }));
    this.asked.set(name, outcome);
    return outcome;
  }
}

/** True when the identity at hand is simply not a recipient: a wrapping is there and none of the identities is meant. */
export const isNotRecipient = (byKey: ListingByKey, keyClass: KeyClass, keyId: string, error: unknown): boolean =>
  isAppError(error) && error.code === 'key-not-available' && byKey.has(`${keyClass} ${keyId}`);
