import { hasCode } from '#kernel';
import { isObjectNotFound, type ObjectReader } from '#storage';
import { checkChunk } from '../format/chunk-id.ts';
import { damaged, isDamage } from '../format/damage.ts';
import { decodeFrame, frameCipher } from '../format/frame.ts';
import { type ChunkClass, frameClass } from '../format/limits.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ChunkLocation, ChunkLocations } from './chunk-locations.ts';

/** Decoded frames that are kept: neighbours are usually wanted next. */
const keptFrames = 8;

/** What is wrong with one copy, and says nothing of the next. */
const isOfOneCopy = (error: unknown): boolean =>
  isDamage(error) || isObjectNotFound(error) || hasCode(error, 'object-truncated') || hasCode(error, 'key-not-available');

/** What chunks are read with. */
export interface ChunkReaderOptions {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  readonly repositoryId: string;
  readonly locations: ChunkLocations;
  /** Needed for data chunks. */
  readonly chunkIdKey?: Uint8Array;
  readonly signal?: AbortSignal;
  readonly onFetched?: (bytes: number) => void;
}

/** Reads single chunks: manifests, refs, lists, sections. Contents of files go through worker threads instead. */
export class ChunkReader {
  private readonly options: ChunkReaderOptions;
  private readonly frames = new Map<number, Promise<Uint8Array>>();

  constructor(options: ChunkReaderOptions) {
    this.options = options;
  }

  /** The plaintext, checked against its id; a copy that is damaged, missing or under a key that cannot be had is passed over for the next. Throws what was wrong with the last. */
  async read(chunkClass: ChunkClass, id: Buffer): Promise<Uint8Array> {
    let last: unknown = damaged('chunk-missing', `No pack holds the chunk ${id.toString('hex')}`);
    for (const location of this.options.locations.find(chunkClass, id)) {
      try {
        const plain = (await this.frame(location.frame)).subarray(location.offset, location.offset + location.length);
        checkChunk(chunkClass, id, plain, this.options.chunkIdKey);
        return plain;
      } catch (error) {
        // Also one under a key that cannot be had: who left such a copy must not keep anybody from the good one.
        if (!isOfOneCopy(error)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** A list chunk of references. */
  readonly list = (id: Buffer): Promise<Uint8Array> => this.read(frameClass.catalog, id);

  private frame(number: ChunkLocation['frame']): Promise<Uint8Array> {
    const kept = this.frames.get(number);
    if (kept) return kept;
    const decoding = this.decode(number);
    decoding.catch(() => this.frames.delete(number));
    this.frames.set(number, decoding);
    if (this.frames.size > keptFrames) this.frames.delete(this.frames.keys().next().value as number);
    return decoding;
  }

  private async decode(number: number): Promise<Uint8Array> {
    const { reader, keys, repositoryId, locations, signal, onFetched } = this.options;
    const frame = locations.frames[number];
    if (!frame) throw damaged('pack-damaged', 'A chunk lies in a frame that is not there');
    const key = await keys.get(frame.class === frameClass.data ? 'data' : 'catalog', frame.keyId);
    const sealed = await reader.get(frame.pack, { offset: frame.offset, length: frame.length }, signal ? { signal } : {});
    onFetched?.(sealed.length);
    return decodeFrame(frameCipher(repositoryId, key), frame, sealed);
  }
}
