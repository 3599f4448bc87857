/** One request. */
export interface HttpRequest {
  readonly method: 'PUT' | 'GET' | 'DELETE' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Parts in order; absent: no body. */
  readonly body?: readonly Uint8Array[];
  /** More than this in the answer is an error. */
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
