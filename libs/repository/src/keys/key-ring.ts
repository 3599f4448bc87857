import { fault } from '#kernel';
import type { ObjectLister, ObjectReader } from '#storage';
import { damaged } from '../format/damage.ts';
import { type Key, type KeyClass, keyFrom, keyNotAvailable } from '../format/keys.ts';
import { readObject } from '../format/read-object.ts';
import { openWith, sealTo, unwrapKey } from '../format/wrapping.ts';

/** Where a reader gets its keys from. */
export interface KeyRing {
  /** The key of this id. Throws `key-not-available` when this ring cannot have it; errors of the target pass through. */
  get(keyClass: KeyClass, keyId: string): Promise<Key>;
}

/** An unwrapped key and what it is for. */
export interface UnwrappedKey {
  readonly class: KeyClass;
  readonly key: Key;
}

const folderOf: Readonly<Record<KeyClass, string>> = { id: 'id-key', data: 'keys', catalog: 'catalog-keys' };

/** A ring of keys that somebody unwrapped and handed over. */
export const handedKeys = (keys: readonly UnwrappedKey[]): KeyRing => {
  const byName = new Map(keys.map((entry) => [`${entry.class} ${entry.key.id}`, entry.key]));
  return {
    get: (keyClass, keyId) => {
      const key = byName.get(`${keyClass} ${keyId}`);
      return key ? Promise.resolve(key) : Promise.reject(keyNotAvailable(keyClass, keyId));
    },
  };
};

const unwrapFromTarget = async (
  store: ObjectReader & ObjectLister, identities: readonly string[], keyClass: KeyClass, keyId: string,
): Promise<Key> => {
  let damage: Error | undefined;
  for await (const object of store.list(`${folderOf[keyClass]}/${keyId}/`)) {
    try {
      const key = await unwrapKey(await readObject(store, object.name), keyId, identities);
      if (key) return key;
    } catch (error) {
      damage = error instanceof Error ? error : new Error(String(error));
    }
  }
  throw damage ?? keyNotAvailable(keyClass, keyId);
};

/** A ring that unwraps the keys in the target, each once, with age identities: one recovery identity is enough. */
export const identityKeys = (store: ObjectReader & ObjectLister, identities: readonly string[]): KeyRing => {
  const asked = new Map<string, Promise<Key>>();
  return {
    get: (keyClass, keyId) => {
      const name = `${keyClass} ${keyId}`;
      const running = asked.get(name);
      if (running) return running;
      const unwrapping = unwrapFromTarget(store, identities, keyClass, keyId);
      asked.set(name, unwrapping);
      unwrapping.catch(() => asked.delete(name));
      return unwrapping;
    },
  };
};

/** Seals unwrapped keys to one recipient: how a master hands the keys of one snapshot to a restoring agent. Returns an age file. */
export const sealKeys = (keys: readonly UnwrappedKey[], recipient: string): Promise<Buffer> => {
  const body = keys.map((entry) => ({ class: entry.class, key: Buffer.from(entry.key.bytes).toString('hex') }));
  return sealTo(Buffer.from(JSON.stringify({ format: 1, keys: body })), [recipient]);
};

const isSealedKey = (value: unknown): value is { class: KeyClass; key: string } =>
  typeof value === 'object' && value !== null && 'class' in value && 'key' in value &&
  typeof value.key === 'string' && /^[0-9a-f]{64}$/.test(value.key) && typeof value.class === 'string' && value.class in folderOf;

/** Opens what `sealKeys` made. Throws `key-not-available` when the identity is not the one it was sealed to. */
export const openSealedKeys = async (file: Uint8Array, identity: string): Promise<UnwrappedKey[]> => {
  const bytes = await openWith(file, [identity]);
  if (!bytes) throw fault('forbidden', 'key-not-available', 'The keys were sealed to another recipient; ask for them again');
  const parsed = JSON.parse(bytes.toString('utf8')) as { keys?: unknown };
  if (!Array.isArray(parsed.keys) || !parsed.keys.every(isSealedKey)) throw damaged('key-damaged', 'The sealed keys are malformed');
  return parsed.keys.map((entry) => ({ class: entry.class, key: keyFrom(Buffer.from(entry.key, 'hex')) }));
};
