import { type ErrorKind, type FieldFault, AppError, fault } from '#kernel';

/** Where the master is and who asks. */
export interface ApiAccess {
  readonly url: string;
  /** API key, sent as bearer token. */
  readonly token?: string;
  /** Session cookie of a login. */
  readonly cookie?: string;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly FieldFault[];
}

const kindOf = (status: number): ErrorKind => {
  const kinds: Readonly<Record<number, ErrorKind>> = {
    400: 'validation', 401: 'unauthorized', 403: 'forbidden', 404: 'not-found', 409: 'conflict', 412: 'stale', 422: 'refused', 429: 'rate-limited',
    503: 'unavailable',
  };
  return kinds[status] ?? 'internal';
};

/** A proxy in front of a master that does not run, or an answer cut short: it may heal. */
const unavailable = ({ status, statusText }: Response): AppError =>
  fault('unavailable', `http-${status}`, `The master answered ${status} ${statusText}; try again, and look at its log when it stays so`);

/** `not-a-master`: what answers at this address speaks another language. */
const noMaster = ({ url, status, statusText }: Response): AppError =>
  fault('unavailable', 'not-a-master', `What answered at ${new URL(url).origin} is no Holdfast master (${status} ${statusText}); is the address right, and is a proxy in between?`, { retryable: false });

/** The error that an answer tells: the master's own code and sentence; `not-a-master` where there is none. */
export const problemOf = async (response: Response): Promise<AppError> => {
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined;
  if (!problem?.code || !problem.detail) return response.status >= 500 ? unavailable(response) : noMaster(response);
  return new AppError({
    kind: kindOf(response.status),
    code: problem.code,
    detail: problem.detail,
    ...(problem.errors ? { fields: problem.errors } : {}),
  });
};

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

/** The REST interface, as a client sees it: problem details become `AppError`s with the master's own code and sentence. */
export class ApiClient {
  constructor(
    readonly access: ApiAccess,
    private readonly timeoutMs = 30_000,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  post<T>(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<T> {
    return this.call<T>('POST', path, body, headers);
  }

  patch(path: string, body: object, headers: Record<string, string> = {}): Promise<void> {
    return this.call('PATCH', path, body, headers);
  }

  delete(path: string): Promise<void> {
    return this.call('DELETE', path);
  }

  /** All items of a list, page by page. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const separator = path.includes('?') ? '&' : '?';
      const page: Page<T> = await this.get<Page<T>>(`${path}${separator}limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    return items;
  }

  /** The answer as it is, whatever its status; for streams and for logins. Throws `master-unreachable`. */
  async send(method: string, path: string, body?: object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const { url, token, cookie } = this.access;
    try {
      return await fetch(new URL(path, url), {
        method,
        headers: {
          accept: 'application/json',
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(cookie ? { cookie } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: signal ?? AbortSignal.timeout(this.timeoutMs),
      });
    } catch (cause) {
      throw fault('unavailable', 'master-unreachable', `No answer from ${url}; is the master running, and is the address right?`, { cause });
    }
  }

  /** A stream of the master, open until the signal ends it. Throws the master's problem, and `master-unreachable`. */
  async stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const response = await this.send('GET', path, undefined, { accept: 'text/event-stream', ...headers }, signal);
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  private async call<T>(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<T> {
    const { token } = this.access;
    const response = await this.send(method, path, body, headers);
    if (response.status === 401 && token) throw fault('unauthorized', 'api-key-refused', 'The API key is wrong, has expired or was removed; make another with holdfast api-keys add, and set HOLDFAST_TOKEN');
    if (!response.ok) throw await problemOf(response);
    if (response.status === 204) return undefined as T;
    return (await response.json().catch((cause: unknown) => {
      if (!response.headers.get('content-type')?.includes('json')) throw noMaster(response);
      throw fault('unavailable', 'master-unreachable', `The answer of ${this.access.url} broke off; try again`, { cause });
    })) as T;
  }
}
