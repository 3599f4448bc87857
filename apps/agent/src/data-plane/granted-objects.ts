import type { Grant } from '#contracts';
import type { Clock } from '#kernel';
import { type ObjectReader, type ObjectWriter, type RequestGrants, grantedStore, nodeHttp } from '#storage';

/** The objects that this attempt may write and read: each through a grant of its own. */
export interface GrantedObjects {
  readonly writer: ObjectWriter;
  readonly reader: ObjectReader;
  /** The bytes of an object that was granted already, in slices. */
  stream(grant: Grant): AsyncIterable<Uint8Array>;
}

/** Bytes of one slice; a multiple of the 32 bytes of a chunk id. */
const sliceBytes = 8 * 1024 * 1024;

/** @param ca PEM of the installation's own authority, when it has one. */
export const grantedObjects = (requestGrants: RequestGrants, clock: Clock, ca?: string): GrantedObjects => {
  const http = nodeHttp(ca === undefined ? {} : { ca: [ca] });
  const store = grantedStore({ requestGrants, http, clock });
  return {
    writer: store,
    reader: store,
    stream: async function* (grant) {
      const one = grantedStore({ requestGrants: () => Promise.resolve([grant]), http, clock });
      const info = await one.head(grant.name);
      for (let offset = 0; info && offset < info.size; offset += sliceBytes) {
        yield await one.get(grant.name, { offset, length: Math.min(sliceBytes, info.size - offset) });
      }
    },
  };
};
