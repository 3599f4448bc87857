import { createHash } from 'node:crypto';
import type { Grant } from '#contracts';
import { type Clock, fault } from '#kernel';
import { type ObjectReader, type ObjectWriter, type RequestGrants, grantedStore } from '#storage';
import { type NetworkSettings, httpOf } from '../network/network.ts';

/** The objects that this attempt may write and read: each through a grant of its own. */
export interface GrantedObjects {
  readonly writer: ObjectWriter;
  readonly reader: ObjectReader;
  /** An object that was granted already: see `readInSlices`. */
  whole(grant: Grant): Promise<Uint8Array>;
}

/** Bytes of one request. */
const sliceBytes = 8 * 1024 * 1024;
/** No more is brought into memory, whatever the target says: a list of sixteen million chunks. */
const mostBytes = 512 * 1024 * 1024;

/**
 * An object whose name ends in its SHA-256, read slice by slice. Throws `object-too-large` before any memory is taken, `object-damaged` when
 * it is not what its name says, and the target's errors.
 */
export const readInSlices = async (reader: ObjectReader, name: string): Promise<Uint8Array> => {
  const size = (await reader.head(name))?.size ?? 0;
  if (!(size <= mostBytes)) throw fault('refused', 'object-too-large', `The target says that ${name} has ${size} bytes; no more than ${mostBytes} are read`);
  const bytes = Buffer.allocUnsafe(size);
  for (let offset = 0; offset < size; offset += sliceBytes) {
    bytes.set(await reader.get(name, { offset, length: Math.min(sliceBytes, size - offset) }), offset);
  }
  if (createHash('sha256').update(bytes).digest('hex') === name.slice(name.lastIndexOf('/') + 1)) return bytes;
  throw fault('refused', 'object-damaged', `${name} does not hold the bytes that its name promises`);
};

/** Objects over the host's way into the network. */
export const grantedObjects = (requestGrants: RequestGrants, clock: Clock, network: NetworkSettings): GrantedObjects => {
  const http = httpOf(network);
  const store = grantedStore({ requestGrants, http, clock });
  return {
    writer: store,
    reader: store,
    whole: (grant) => readInSlices(grantedStore({ requestGrants: () => Promise.resolve([grant]), http, clock }), grant.name),
  };
};
