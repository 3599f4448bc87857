import { collect, lengthOf } from '../bytes.ts';
import type { ObjectWriter, PutOutcome, StreamWriter } from '../object-store.port.ts';
import { objectMismatch } from '../store-errors.ts';
import { fault } from '#kernel';
import type { RelayGrant } from './relay-grants.ts';

const canStream = (store: ObjectWriter): store is ObjectWriter & StreamWriter => 'putStream' in store;

/**
 * Writes what a client sends under a verified write grant: exactly the granted bytes (`object-mismatch` otherwise, and nothing is
 * stored), create-only. A store that can take a stream gets one; for others the object is held in memory, so bound how many at a time.
 */
export const receiveObject = async (
  store: ObjectWriter, stream: AsyncIterable<Uint8Array>, grant: RelayGrant, signal?: AbortSignal,
): Promise<PutOutcome> => {
  const { name, size, sha256 } = grant;
  if (grant.method !== 'PUT' || size === undefined || !sha256) throw fault('forbidden', 'grant-invalid', 'This grant does not allow to write');
  const options = { sha256, ...(signal ? { signal } : {}) };
  if (canStream(store)) return store.putStream(name, stream, { ...options, size });
  const body = await collect(name, stream, size).catch((error: unknown) => {
    throw (error as { code?: string }).code === 'object-too-large' ? objectMismatch(name) : error;
  });
  if (lengthOf([body]) !== size) throw objectMismatch(name);
  return store.put(name, [body], options);
};
