import type { Grant } from '#contracts';
import type { Clock } from '#kernel';
import { type ObjectReader, type ObjectWriter, type RequestGrants, grantedStore } from '#storage';
import { type NetworkSettings, httpOf } from '../network/network.ts';

/** The objects that this attempt may write and read: each through a grant of its own. */
export interface GrantedObjects {
  readonly writer: ObjectWriter;
  readonly reader: ObjectReader;
  /** An object that was granted already, of whatever size. */
  whole(grant: Grant): Promise<Uint8Array>;
}

/** Bytes of one request. */
const sliceBytes = 8 * 1024 * 1024;

/** Objects over the host's way into the network. */
export const grantedObjects = (requestGrants: RequestGrants, clock: Clock, network: NetworkSettings): GrantedObjects => {
  const http = httpOf(network);
  const store = grantedStore({ requestGrants, http, clock });
  return {
    writer: store,
    reader: store,
    whole: async (grant) => {
      const one = grantedStore({ requestGrants: () => Promise.resolve([grant]), http, clock });
      const size = (await one.head(grant.name))?.size ?? 0;
      const bytes = Buffer.allocUnsafe(size);
      for (let offset = 0; offset < size; offset += sliceBytes) {
        bytes.set(await one.get(grant.name, { offset, length: Math.min(sliceBytes, size - offset) }), offset);
      }
      return bytes;
    },
  };
};
