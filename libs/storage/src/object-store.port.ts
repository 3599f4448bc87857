import { fault, type AppError, hasCode } from '#kernel';

/** An object in a listing or the answer to a HEAD. */
export interface ObjectInfo {
  /** Name inside the store, `/`-separated, without a leading slash. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** The SHA-256 that the storage itself keeps, where it keeps one: 32 bytes. Not computed from a download. */
  readonly sha256?: Uint8Array;
  /** In listings: when it was written, by the storage's own clock (ms since 1970). Absent where nobody can tell. */
  readonly modified?: number;
}

/** What a create-only PUT needs to know. */
export interface PutOptions {
  /** SHA-256 of all the bytes, 32 bytes. The store refuses a body that does not match where it can. */
  readonly sha256: Uint8Array;
  readonly signal?: AbortSignal;
}

/** `exists`: an object of this name was there already and nothing was written. For a name that ends in its hash both are success. */
export type PutOutcome = 'created' | 'exists';

/** A part of an object. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Bounds of one read. */
export interface ReadOptions extends CallOptions {
  /** A whole object larger than this is `object-too-large`, before more of it than this is in memory. Default 512 MiB. */
  readonly maxBytes?: number;
}

/** Creates objects; never overwrites and never deletes. What a protected host holds. */
export interface ObjectWriter {
  /** Writes `body` (its parts in order) under `name` if nothing is there. Durable when it resolves. */
  put(name: string, body: readonly Uint8Array[], options: PutOptions): Promise<PutOutcome>;
}

/** What a PUT from a stream needs to know. */
export interface StreamPutOptions extends PutOptions {
  /** Bytes; a stream that is longer or shorter is `object-mismatch`. */
  readonly size: number;
}

/** Creates an object from a stream without holding it in memory; a stream that is not what was announced leaves nothing behind. */
export interface StreamWriter {
  putStream(name: string, stream: AsyncIterable<Uint8Array>, options: StreamPutOptions): Promise<PutOutcome>;
}

/** Reads objects by name. */
export interface ObjectReader {
  /**
   * The bytes of the object, or of `range`: never more than these are held. Throws `object-not-found`, `object-too-large`; a short
   * object with a range beyond its end is `object-truncated`.
   */
  get(name: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array>;
  /** Size and, where the storage keeps one, its SHA-256; undefined when there is no such object. */
  head(name: string, options?: CallOptions): Promise<ObjectInfo | undefined>;
}

/** Lists objects whose names start with `prefix`, in byte order of their names. */
export interface ObjectLister {
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
}

/** Removes objects. Removing what is not there is success. Held by masters only. */
export interface ObjectRemover {
  delete(name: string, options?: CallOptions): Promise<void>;
}

/** Removes what writers that were killed left behind and no listing shows. */
export interface LeftoverRemover {
  /** Below `prefix` (empty: everywhere), last written before `before` (ms since 1970). Returns how many. */
  removeLeftovers(prefix: string, before: number, options?: CallOptions): Promise<number>;
}

/** A place that stores objects. Errors are `AppError`s with `retryable` set: true means that the same call may succeed later. */
export interface ObjectStore extends ObjectWriter, ObjectReader, ObjectLister, ObjectRemover, Partial<LeftoverRemover> {}

/** There is no object `name`. Permanent. */
export const objectNotFound = (name: string): AppError =>
  fault('not-found', 'object-not-found', `The target holds no object ${name}`);

/** True when the store answered that the object is not there; a failed fetch is never this. */
export const isObjectNotFound = (error: unknown): boolean => hasCode(error, 'object-not-found');
