import { Readable } from 'node:stream';
import type { GetObjectCommandOutput, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Clock, systemClock } from '#kernel';
import { collect, collectRange, lengthOf } from '../bytes.ts';
import { withDeadline } from '../deadline.ts';
import { checkObjectName, checkPrefix } from '../names.ts';
import {
  type ByteRange, type CallOptions, isObjectNotFound, type ObjectInfo, type ObjectStore, objectNotFound, type PutOptions, type PutOutcome,
  type ReadOptions,
} from '../object-store.port.ts';
import { maxObjectBytes, objectTooLarge, objectTruncated, storageUnavailable } from '../store-errors.ts';
import { s3Client, type S3Location } from './s3-client.ts';
import { isNotImplemented, isPreconditionFailed, s3Error } from './s3-errors.ts';
import { s3Sdk } from './sdk.ts';

/** A bucket, or a part of it, as a store. */
export interface S3StoreOptions extends S3Location {
  readonly clock?: Clock;
  /** A client of `s3Client` to share; made when absent. */
  readonly client?: S3Client;
  /** Milliseconds for a call that moves no bytes; each MiB adds `slowestMsPerMiB`. Default 30,000. */
  readonly timeoutMs?: number;
  /** Names asked for at a time in a listing. Default: the server's, mostly 1,000. */
  readonly pageSize?: number;
  /** Default 4,000: a target slower than 256 KiB/s is given up and asked again. */
  readonly slowestMsPerMiB?: number;
}

/** The payload's hash, known beforehand, becomes the one that is signed: the SDK would otherwise sign a stream as "unsigned". */
const signPayload = (command: PutObjectCommand, sha256: Uint8Array): void => {
  command.middlewareStack.add((next) => (args) => {
    (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = Buffer.from(sha256).toString('hex');
    return next(args);
  }, { step: 'build', name: 'signKnownPayload' });
};

const putCommand = (bucket: string, key: string, body: readonly Uint8Array[], options: { sha256: Uint8Array; createOnly: boolean }): PutObjectCommand => {
  const command = new (s3Sdk().PutObjectCommand)({
    Bucket: bucket, Key: key, ContentLength: lengthOf(body), ChecksumSHA256: Buffer.from(options.sha256).toString('base64'),
    Body: body.length === 1 && body[0] ? body[0] : Readable.from(body, { objectMode: false }),
    ...(options.createOnly ? { IfNoneMatch: '*' } : {}),
  });
  signPayload(command, options.sha256);
  return command;
};

const readBody = async (name: string, answer: GetObjectCommandOutput, range: ByteRange | undefined, most: number): Promise<Buffer> => {
  const stream = answer.Body as Readable;
  try {
    // A server may ignore the range and send everything.
    if (range && answer.ContentRange === undefined) return await collectRange(name, stream, range);
    const expected = answer.ContentLength;
    if (!range && expected !== undefined && expected > most) throw objectTooLarge(name, most);
    const bytes = await collect(name, stream, range?.length ?? most);
    if (expected !== undefined && bytes.length !== expected) throw storageUnavailable('The target ended an answer before its end');
    if (range && bytes.length < range.length) throw objectTruncated(name);
    return bytes;
  } finally {
    stream.destroy();
  }
};

const infoOf = (name: string, size: number | undefined, checksum?: string, type?: string): ObjectInfo => {
  const sha256 = checksum && type !== 'COMPOSITE' ? Buffer.from(checksum, 'base64') : undefined;
  return sha256?.length === 32 ? { name, size: size ?? 0, sha256 } : { name, size: size ?? 0 };
};

/**
 * Objects in an S3 bucket. Writes are create-only (`If-None-Match: *`), carry their SHA-256 as `x-amz-checksum-sha256`, which the
 * server checks, and are sent from the caller's memory. Never multipart: the checksum of a multipart object is not its SHA-256.
 */
export class S3Store implements ObjectStore {
  private readonly options: S3StoreOptions;
  private readonly client: S3Client;
  private readonly prefix: string;
  private conditional: 'yes' | 'no' | 'unknown' = 'unknown';

  constructor(options: S3StoreOptions) {
    this.options = options;
    this.client = options.client ?? s3Client(options);
    this.prefix = options.prefix ?? '';
  }

  /**
   * Whether the server refuses a second write by itself. `no` after it answered 501: then the adapter asks with HEAD first, which
   * two writers at the same moment can pass. Harmless for names that end in their hash: both write the same bytes.
   */
  conditionalWrites(): 'yes' | 'no' | 'unknown' {
    return this.conditional;
  }

  /** Ends the connections. */
  close(): void {
    this.client.destroy();
  }

  async put(name: string, body: readonly Uint8Array[], options: PutOptions): Promise<PutOutcome> {
    this.keyOf(name);
    if (this.conditional !== 'no') {
      const outcome = await this.putConditional(name, body, options);
      if (outcome !== 'not-implemented') return outcome;
      this.conditional = 'no';
    }
    if (await this.head(name, options)) return 'exists';
    await this.send(name, body, options, false);
    return 'created';
  }

  async get(name: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array> {
    if (range?.length === 0) {
      const info = await this.head(name, options);
      if (!info) throw objectNotFound(name);
      if (range.offset > info.size) throw objectTruncated(name);
      return Buffer.alloc(0);
    }
    const command = new (s3Sdk().GetObjectCommand)({
      Bucket: this.options.bucket, Key: this.keyOf(name),
      ...(range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {}),
    });
    return this.call(name, range?.length ?? 64 * 1_048_576, options?.signal, async (abortSignal) =>
      readBody(name, await this.client.send(command, { abortSignal }), range, options?.maxBytes ?? maxObjectBytes));
  }

  async head(name: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    const command = new (s3Sdk().HeadObjectCommand)({ Bucket: this.options.bucket, Key: this.keyOf(name), ChecksumMode: 'ENABLED' });
    try {
      const answer = await this.call(name, 0, options?.signal, (abortSignal) => this.client.send(command, { abortSignal }));
      return infoOf(name, answer.ContentLength, answer.ChecksumSHA256, answer.ChecksumType);
    } catch (error) {
      // HEAD has no body, so a missing bucket looks the same; the first write or listing tells.
      if (isObjectNotFound(error)) return undefined;
      throw error;
    }
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo> {
    const Prefix = this.prefix + checkPrefix(prefix);
    let token: string | undefined;
    do {
      const command: ListObjectsV2Command = new (s3Sdk().ListObjectsV2Command)({
        Bucket: this.options.bucket, Prefix, ...(this.options.pageSize ? { MaxKeys: this.options.pageSize } : {}), ...(token ? { ContinuationToken: token } : {}),
      });
      const page = await this.call(prefix, 0, options?.signal, (abortSignal) => this.client.send(command, { abortSignal }));
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key && !Key.endsWith('/')) yield { ...infoOf(Key.slice(this.prefix.length), Size), ...(LastModified ? { modified: LastModified.getTime() } : {}) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    const command = new (s3Sdk().DeleteObjectCommand)({ Bucket: this.options.bucket, Key: this.keyOf(name) });
    try {
      await this.call(name, 0, options?.signal, (abortSignal) => this.client.send(command, { abortSignal }));
    } catch (error) {
      if (!isObjectNotFound(error)) throw error;
    }
  }

  private keyOf(name: string): string {
    return this.prefix + checkObjectName(name);
  }

  private async call<T>(name: string, bytes: number, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock = systemClock, timeoutMs = 30_000, slowestMsPerMiB = 4_000 } = this.options;
    try {
      return await withDeadline(clock, timeoutMs + (bytes / 1_048_576) * slowestMsPerMiB, signal, work);
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(name, error);
    }
  }

  private send(name: string, body: readonly Uint8Array[], { sha256, signal }: PutOptions, createOnly: boolean): Promise<unknown> {
    return this.call(name, lengthOf(body), signal, (abortSignal) =>
      this.client.send(putCommand(this.options.bucket, this.keyOf(name), body, { sha256, createOnly }), { abortSignal }));
  }

  private async putConditional(name: string, body: readonly Uint8Array[], options: PutOptions): Promise<PutOutcome | 'not-implemented'> {
    try {
      await this.send(name, body, options, true);
      this.conditional = 'yes';
      return 'created';
    } catch (error) {
      const { cause } = error as Error;
      if (isNotImplemented(cause)) return 'not-implemented';
      if (!isPreconditionFailed(cause)) throw error;
      this.conditional = 'yes';
      return 'exists';
    }
  }
}

/** The bucket as a store. */
export const s3Store = (options: S3StoreOptions): S3Store => new S3Store(options);
