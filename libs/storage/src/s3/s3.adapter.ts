import { Readable } from 'node:stream';
import {
  DeleteObjectCommand, GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { type Clock, systemClock } from '#kernel';
import { asBuffer, collect, lengthOf, sliceRange } from '../bytes.ts';
import { withDeadline } from '../deadline.ts';
import { checkObjectName, checkPrefix } from '../names.ts';
import { type ByteRange, type ObjectInfo, type ObjectStore, objectNotFound, type PutOptions, type PutOutcome } from '../object-store.port.ts';
import { maxObjectBytes, objectTruncated, storageUnavailable } from '../store-errors.ts';
import { s3Client, type S3Location } from './s3-client.ts';
import { isNotImplemented, isPreconditionFailed, s3Error } from './s3-errors.ts';

/** A bucket, or a part of it, as a store. */
export interface S3StoreOptions extends S3Location {
  readonly clock?: Clock;
  /** A client of `s3Client` to share; made when absent. */
  readonly client?: S3Client;
  /** Milliseconds for a call that moves no bytes; each MiB adds `slowestMsPerMiB`. Default 30,000. */
  readonly timeoutMs?: number;
  /** Default 4,000: a target slower than 256 KiB/s is given up and asked again. */
  readonly slowestMsPerMiB?: number;
}

/** A store in a bucket. */
export interface S3Store extends ObjectStore {
  /**
   * Whether the server refuses a second write by itself. `no` after it answered 501: then the adapter asks with HEAD first, which
   * two writers at the same moment can pass. Harmless for names that end in their hash: both write the same bytes.
   */
  conditionalWrites(): 'yes' | 'no' | 'unknown';
  /** Ends the connections. */
  close(): void;
}

/** The payload's hash, known beforehand, becomes the one that is signed: the SDK would otherwise sign a stream as "unsigned". */
const signPayload = (command: PutObjectCommand, sha256: Uint8Array): void => {
  command.middlewareStack.add((next) => (args) => {
    (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = Buffer.from(sha256).toString('hex');
    return next(args);
  }, { step: 'build', name: 'signKnownPayload' });
};

const putCommand = (bucket: string, key: string, body: readonly Uint8Array[], options: { sha256: Uint8Array; createOnly: boolean }): PutObjectCommand => {
  const command = new PutObjectCommand({
    Bucket: bucket, Key: key, ContentLength: lengthOf(body), ChecksumSHA256: Buffer.from(options.sha256).toString('base64'),
    Body: body.length === 1 && body[0] ? body[0] : Readable.from(body, { objectMode: false }),
    ...(options.createOnly ? { IfNoneMatch: '*' } : {}),
  });
  signPayload(command, options.sha256);
  return command;
};

const readBody = async (name: string, answer: GetObjectCommandOutput, range: ByteRange | undefined): Promise<Buffer> => {
  const stream = answer.Body as Readable;
  // A server may ignore the range and send everything.
  const partial = range !== undefined && answer.ContentRange !== undefined;
  const expected = answer.ContentLength;
  const limit = partial ? range.length : maxObjectBytes;
  const bytes = await collect(name, stream, limit).finally(() => stream.destroy());
  if (expected !== undefined && bytes.length !== expected) throw storageUnavailable('The target ended an answer before its end');
  if (partial && bytes.length < range.length) throw objectTruncated(name);
  return partial ? bytes : asBuffer(sliceRange(name, bytes, range));
};

const infoOf = (name: string, size: number | undefined, checksum?: string, type?: string): ObjectInfo => {
  const sha256 = checksum && type !== 'COMPOSITE' ? Buffer.from(checksum, 'base64') : undefined;
  return sha256?.length === 32 ? { name, size: size ?? 0, sha256 } : { name, size: size ?? 0 };
};

/**
 * Objects in an S3 bucket. Writes are create-only (`If-None-Match: *`), carry their SHA-256 as `x-amz-checksum-sha256`, which the
 * server checks, and are sent from the caller's memory. Never multipart: the checksum of a multipart object is not its SHA-256.
 */
export const s3Store = (options: S3StoreOptions): S3Store => {
  const { bucket, prefix = '', clock = systemClock, timeoutMs = 30_000, slowestMsPerMiB = 4_000 } = options;
  const client = options.client ?? s3Client(options);
  let conditional: 'yes' | 'no' | 'unknown' = 'unknown';
  const keyOf = (name: string): string => prefix + checkObjectName(name);

  const call = async <T>(name: string, bytes: number, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(clock, timeoutMs + (bytes / 1_048_576) * slowestMsPerMiB, signal, work);
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(name, error);
    }
  };

  const head: ObjectStore['head'] = (name, callOptions) => call(name, 0, callOptions?.signal, async (abortSignal) => {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: keyOf(name), ChecksumMode: 'ENABLED' });
    try {
      const answer = await client.send(command, { abortSignal });
      return infoOf(name, answer.ContentLength, answer.ChecksumSHA256, answer.ChecksumType);
    } catch (error) {
      // HEAD has no body, so a missing bucket looks the same; the first write or listing tells.
      if (s3Error(name, error).code === 'object-not-found') return undefined;
      throw error;
    }
  });

  const putConditional = async (name: string, body: readonly Uint8Array[], { sha256, signal }: PutOptions): Promise<PutOutcome | 'not-implemented'> => {
    try {
      await call(name, lengthOf(body), signal, (abortSignal) =>
        client.send(putCommand(bucket, keyOf(name), body, { sha256, createOnly: true }), { abortSignal }));
      conditional = 'yes';
      return 'created';
    } catch (error) {
      const { cause } = error as Error;
      if (isPreconditionFailed(cause)) {
        conditional = 'yes';
        return 'exists';
      }
      if (isNotImplemented(cause)) return 'not-implemented';
      throw error;
    }
  };

  return {
    conditionalWrites: () => conditional,
    close: () => client.destroy(),
    head,
    put: async (name, body, putOptions) => {
      keyOf(name);
      if (conditional !== 'no') {
        const outcome = await putConditional(name, body, putOptions);
        if (outcome !== 'not-implemented') return outcome;
        conditional = 'no';
      }
      if (await head(name, putOptions)) return 'exists';
      const { sha256, signal } = putOptions;
      await call(name, lengthOf(body), signal, (abortSignal) =>
        client.send(putCommand(bucket, keyOf(name), body, { sha256, createOnly: false }), { abortSignal }));
      return 'created';
    },
    get: async (name, range, callOptions) => {
      if (range?.length === 0) {
        const info = await head(name, callOptions);
        if (!info) throw objectNotFound(name);
        if (range.offset > info.size) throw objectTruncated(name);
        return Buffer.alloc(0);
      }
      const command = new GetObjectCommand({
        Bucket: bucket, Key: keyOf(name), ...(range ? { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {}),
      });
      return call(name, range?.length ?? 64 * 1_048_576, callOptions?.signal, async (abortSignal) =>
        readBody(name, await client.send(command, { abortSignal }), range));
    },
    list: async function* (namePrefix, callOptions) {
      const Prefix = prefix + checkPrefix(namePrefix);
      let token: string | undefined;
      do {
        const command: ListObjectsV2Command = new ListObjectsV2Command({ Bucket: bucket, Prefix, ...(token ? { ContinuationToken: token } : {}) });
        const page = await call(namePrefix, 0, callOptions?.signal, (abortSignal) => client.send(command, { abortSignal }));
        for (const { Key, Size } of page.Contents ?? []) if (Key && Key !== Prefix) yield infoOf(Key.slice(prefix.length), Size);
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token);
    },
    delete: (name, callOptions) => call(name, 0, callOptions?.signal, async (abortSignal) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf(name) }), { abortSignal }).catch((error: unknown) => {
        if (s3Error(name, error).code !== 'object-not-found') throw error;
      });
    }),
  };
};
