import type { ChunkClass, ChunkerLimits } from '../format/limits.ts';
import type { KnownTable } from '../state/known-lookup.ts';
import type { FileOutcome, FileOutcomes } from './file-outcomes.ts';
import type { ClaimsMemory } from './shared-index.ts';

/** Facts of a file that tell whether it is the one that was walked, in this order: size, mtime, ctime, inode, device. */
export const factsPerFile = 5;

/** What a content worker is started with. Holds keys: it goes to a thread of this process and nowhere else. */
export interface ContentWorkerData {
  readonly index: number;
  readonly repositoryId: string;
  readonly dataKey: Uint8Array;
  readonly catalogKey: Uint8Array;
  readonly chunkIdKey: Uint8Array;
  readonly gear: Uint8Array;
  readonly chunker: ChunkerLimits;
  readonly packBytes: number;
  readonly known: KnownTable;
  readonly claims: ClaimsMemory;
  /** One number a worker: how many packs it has closed. */
  readonly closedPacks: SharedArrayBuffer;
  /** One 64-bit number a worker: bytes of files that it has read, the one at hand included. */
  readonly readBytes: SharedArrayBuffer;
  /** One number: that of the first job of files that no worker has taken upon itself. */
  readonly nextFiles: SharedArrayBuffer;
}

/** Files to read, in walk order. Every reader gets every job, in the order of their numbers; whoever comes to it first does it. */
export interface FilesJob {
  readonly type: 'files';
  /** Counted from 0. */
  readonly number: number;
  readonly slots: readonly number[];
  /** Absolute paths, one after the other, each behind its length (4 bytes little-endian). */
  readonly paths: Uint8Array;
  /** `factsPerFile` for each file. */
  readonly facts: BigInt64Array;
}

/** A chunk that is made elsewhere: of a manifest, of refs, of a section. */
export interface ChunkJob {
  readonly type: 'chunk';
  readonly ticket: number;
  readonly class: ChunkClass;
  readonly plain: Uint8Array;
}

/** Content that does not lie in a file: pieces of one stream at a time, in order, then the end. */
export interface StreamJob {
  readonly type: 'stream';
  readonly slot: number;
  readonly piece?: Uint8Array;
}

export type ToContentWorker =
  | FilesJob | ChunkJob | StreamJob
  | { readonly type: 'buffer'; readonly buffer: ArrayBuffer }
  | { readonly type: 'finish' };

/** A finished pack; the buffer comes back by a `buffer` message when it is stored. */
export interface PackMessage {
  readonly type: 'pack';
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly sha256: Uint8Array;
  /** 32 bytes each. */
  readonly ids: Uint8Array;
  /** Plaintext bytes of its chunks. */
  readonly plainBytes: number;
}

export type FromContentWorker =
  | { readonly type: 'files'; readonly number: number; readonly outcomes: FileOutcomes }
  | { readonly type: 'streamed'; readonly outcome: FileOutcome }
  | { readonly type: 'chunk'; readonly ticket: number; readonly id: Uint8Array }
  | { readonly type: 'stream'; readonly slot: number }
  | PackMessage
  | { readonly type: 'finished' };
