import type { GrantRequest } from '#contracts';
import { type AppError, type Clock, fault, hasCode, isAppError, messageOf, systemClock } from '#kernel';
import { lengthOf } from '../bytes.ts';
import { withDeadline } from '../deadline.ts';
import { checkObjectName } from '../names.ts';
import {
  type ByteRange, type CallOptions, type ObjectInfo, type ObjectReader, type ObjectWriter, isObjectNotFound, objectNotFound,
  type PutOptions, type PutOutcome, type ReadOptions,
} from '../object-store.port.ts';
import { maxObjectBytes, objectMismatch, objectTruncated, storageDenied, storageFailed, storageUnavailable } from '../store-errors.ts';
import { type RetryOptions, retrying } from '../wrappers/retry.wrapper.ts';
import { GrantSource, type RequestGrants } from './grant-source.ts';
import type { HttpAnswer, HttpSend } from './http.port.ts';

/** How a protected host reaches a target that it has no credential for. */
export interface GrantedStoreOptions {
  readonly requestGrants: RequestGrants;
  readonly http: HttpSend;
  readonly clock?: Clock;
  /** For calls that failed for a while, the asking for grants included. */
  readonly retry?: Omit<RetryOptions, 'clock'>;
  /** Milliseconds for a call that moves no bytes. Default 30,000. */
  readonly timeoutMs?: number;
  /** More milliseconds for every MiB. Default 16,000 (64 KiB/s). */
  readonly slowestMsPerMiB?: number;
}

/** Grants asked for again after a refusal before the refusal is believed. */
const freshGrants = 2;

/** The stable code in an S3 error document or in problem details; '' when there is none. */
const codeIn = (body: Uint8Array): string => {
  const code = /<Code>(\w{1,64})<\/Code>|"code":\s*"([\w-]{1,64})"/.exec(Buffer.from(body.subarray(0, 4096)).toString('latin1'));
  return code?.[1] ?? code?.[2] ?? '';
};

const errorOf = (status: number, name: string, body: Uint8Array): AppError => {
  const says = codeIn(body);
  if (says === 'NoSuchBucket') return storageFailed('The bucket of the target does not exist');
  if (status === 400 && /Digest|Mismatch|IncompleteBody|object-mismatch/.test(says)) return objectMismatch(name);
  if (status === 507 || says === 'storage-full') return fault('unavailable', 'storage-full', 'The target has no space left', { retryable: true });
  if (status === 404) return objectNotFound(name);
  if (status === 416) return objectTruncated(name);
  if (status === 401 || status === 403) return fault('forbidden', 'grant-refused', `The target refuses the grant (${status} ${says})`);
  const busy = [408, 409, 425, 429].includes(status) || status >= 500;
  return busy ? storageUnavailable(`The target is busy or down (${status} ${says})`) : storageFailed(`The target answers ${status} ${says}`);
};

/** Size of the whole object of which a part was asked for. */
const totalOf = ({ status, headers }: HttpAnswer): number => {
  const total = /^bytes (?:\d+-\d+|\*)\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1] ?? (status === 416 ? 0 : headers['content-length']);
  if (total === undefined || (status === 206 && headers['content-range'] === undefined)) throw storageFailed('The target does not say how large its objects are');
  return Number(total);
};

/**
 * A target reached through one-object grants over HTTP: write and read by name, nothing else. Failures are repeated with pauses; a
 * grant that has expired is asked for again. A second write of a name is `exists`, also when the first try's answer was lost.
 */
export class GrantedStore implements ObjectWriter, ObjectReader {
  private readonly options: GrantedStoreOptions;
  private readonly clock: Clock;
  private readonly grants: GrantSource;

  constructor(options: GrantedStoreOptions) {
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.grants = new GrantSource(options.requestGrants, this.clock);
  }

  async put(name: string, body: readonly Uint8Array[], { sha256, signal }: PutOptions): Promise<PutOutcome> {
    checkObjectName(name);
    const request: GrantRequest = { access: 'write', name, size: lengthOf(body), sha256: Buffer.from(sha256).toString('hex') };
    const { status } = await this.exchange(request, { body, bytes: lengthOf(body), signal, accept: [200, 201, 204, 412] });
    this.grants.forget(request);
    return status === 412 ? 'exists' : 'created';
  }

  async get(name: string, range?: ByteRange, options?: ReadOptions): Promise<Uint8Array> {
    if (range?.length === 0) {
      const info = await this.head(name, options);
      if (!info) throw objectNotFound(name);
      if (range.offset > info.size) throw objectTruncated(name);
      return Buffer.alloc(0);
    }
    const answer = await this.exchange({ access: 'read', name: checkObjectName(name) }, {
      bytes: range?.length ?? 64 * 1_048_576, signal: options?.signal, accept: [200, 206],
      range, maxBytes: options?.maxBytes,
    });
    if (range && answer.body.length !== range.length) throw objectTruncated(name);
    return answer.body;
  }

  /** Asks for the first byte: a grant to read is one for GET. */
  async head(name: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    try {
      const answer = await this.exchange({ access: 'read', name: checkObjectName(name) }, {
        bytes: 1, signal: options?.signal, accept: [200, 206, 416], range: { offset: 0, length: 1 },
      });
      return { name, size: totalOf(answer) };
    } catch (error) {
      if (isObjectNotFound(error)) return undefined;
      // An empty object that a server sends whole in spite of the range.
      if (hasCode(error, 'object-truncated')) return { name, size: 0 };
      throw error;
    }
  }

  private exchange(request: GrantRequest, call: ExchangeOptions): Promise<HttpAnswer> {
    let refused = 0;
    return retrying({ ...this.options.retry, clock: this.clock }, call.signal, async () => {
      for (;;) {
        const answer = await this.send(request, call);
        if (call.accept.includes(answer.status)) return answer;
        const error = errorOf(answer.status, request.name, answer.body);
        if (error.code !== 'grant-refused') throw error;
        this.grants.forget(request);
        if (++refused > freshGrants) throw storageDenied(error.detail, error);
      }
    });
  }

  private async send(request: GrantRequest, call: ExchangeOptions): Promise<HttpAnswer> {
    const grant = await this.grants.grantFor(request);
    const { timeoutMs = 30_000, slowestMsPerMiB = 16_000 } = this.options;
    const ms = timeoutMs + (call.bytes / 1_048_576) * slowestMsPerMiB;
    try {
      return await withDeadline(this.clock, ms, call.signal, (signal) => this.options.http({
        method: grant.method, url: grant.url, maxBytes: call.maxBytes ?? maxObjectBytes, signal,
        headers: grant.headers, ...(call.range ? { range: call.range } : {}), ...(call.body ? { body: call.body } : {}),
      }));
    } catch (error) {
      call.signal?.throwIfAborted();
      // A grant may lead to a relay that is gone: another master, or the same one once it is back, grants anew.
      this.grants.forget(request);
      if (isAppError(error)) throw error;
      throw storageUnavailable(`The target cannot be reached: ${messageOf(error)}`, error);
    }
  }
}

interface ExchangeOptions {
  readonly body?: readonly Uint8Array[];
  readonly range?: ByteRange | undefined;
  readonly maxBytes?: number | undefined;
  /** Expected to move, for the deadline. */
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
  /** Statuses that are an answer. */
  readonly accept: readonly number[];
}

/** The target behind the grants as a store. */
export const grantedStore = (options: GrantedStoreOptions): GrantedStore => new GrantedStore(options);
