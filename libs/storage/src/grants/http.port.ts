import type { ByteRange } from '../object-store.port.ts';

/** One request. */
export interface HttpRequest {
  readonly method: 'PUT' | 'GET' | 'DELETE' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parts in order; absent: no body. */
  readonly body?: readonly Uint8Array[];
  /** Asks for this part. Where the server sends everything all the same, only the part is kept. */
  readonly range?: ByteRange;
  /** More than this in an answer of success is an error; of other answers no more than 64 KiB is kept. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** What came back, whatever the status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** Sends one request and resolves with the answer; throws when none came. Never follows redirects: a grant leads to one place. */
export type HttpSend = (request: HttpRequest) => Promise<HttpAnswer>;
