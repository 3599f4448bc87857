import type { FileTicket } from '#sources';
import type { ChunkClass, Codec } from '../format/limits.ts';

/** What a restore worker is started with. Holds keys: it goes to a thread of this process and nowhere else. */
export interface RestoreWorkerData {
  readonly repositoryId: string;
  readonly chunkIdKey: Uint8Array;
  readonly rootFd: number;
}

/** A frame in the fetched bytes. */
export interface FrameToDecode {
  /** Offset in the fetched bytes. */
  readonly at: number;
  readonly length: number;
  readonly class: ChunkClass;
  readonly codec: Codec;
  readonly keyId: string;
  readonly plainLength: number;
  /** How many rows of `targets` are of this frame. */
  readonly targets: number;
}

/** Numbers of a row of `targets`: ticket (index in `tickets`), offset in the frame, length, position in the file, whole file (0 or 1). */
export const targetColumns = 5;

/** Fetched frames and where their chunks go. */
export interface ContentJob {
  readonly type: 'content';
  readonly job: number;
  readonly bytes: ArrayBuffer;
  readonly frames: readonly FrameToDecode[];
  readonly targets: Float64Array;
  /** The id of each target's chunk, 32 bytes each. */
  readonly ids: Uint8Array;
  readonly tickets: readonly FileTicket[];
}

export type ToRestoreWorker =
  | ContentJob
  | { readonly type: 'key'; readonly keyId: string; readonly key: Uint8Array }
  | { readonly type: 'empty'; readonly job: number; readonly tickets: readonly FileTicket[] }
  | { readonly type: 'complete'; readonly job: number; readonly tickets: readonly FileTicket[] }
  | { readonly type: 'discard'; readonly job: number; readonly tickets: readonly FileTicket[] }
  | { readonly type: 'close' };

/** What went wrong: `damage` means that another copy may be right. */
export interface RestoreFailure {
  /** Row of `targets`, or index of the ticket for the other jobs. */
  readonly at: number;
  readonly damage: boolean;
  readonly code: string;
  readonly detail: string;
}

export type FromRestoreWorker =
  | { readonly type: 'done'; readonly job: number; readonly failures: readonly RestoreFailure[] }
  | { readonly type: 'closed' };
