/** What kind of trouble an error is; the one HTTP mapper and the one NATS mapper turn it into a status or a nak. */
export type ErrorKind =
  | 'validation' // the caller sent something malformed: correct it and send again
  | 'unauthorized' // no valid credential was presented
  | 'forbidden' // the credential is valid and does not allow this
  | 'not-found'
  | 'conflict' // the state of the thing does not allow this now
  | 'stale' // the caller's `If-Match` or expected version is old
  | 'refused' // well-formed, and a rule says no
  | 'rate-limited'
  | 'unavailable' // a dependency is down or busy: the same call may succeed later
  | 'internal'; // a fault of ours

/** One faulty field of a request, a message or a setting. */
export interface FieldFault {
  /** Dotted path of the field, for example `schedule.cron`. */
  readonly field: string;
  /** A sentence that says what to do. */
  readonly detail: string;
}

/** A stable code, a sentence for the caller that says what to do, and what it is about. Codes are kebab-case and never change. */
export interface Refusal {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly detail: string;
  readonly fields?: readonly FieldFault[];
}

/** Makes a refusal: a value to return where saying no is expected. */
export const refuse = (kind: ErrorKind, code: string, detail: string, fields?: readonly FieldFault[]): Refusal =>
  fields ? { code, kind, detail, fields } : { code, kind, detail };

/** What an `AppError` may carry beside its refusal. */
export interface AppErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call may succeed later without anybody changing anything. Default: true for `unavailable`. */
  readonly retryable?: boolean;
  /** For the log only; never shown to a caller. */
  readonly internal?: string;
}

/** The only error class thrown on purpose. Its `detail` may be shown to anyone; `internal` and `cause` go to the log only. */
export class AppError extends Error implements Refusal {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly detail: string;
  readonly fields?: readonly FieldFault[];
  readonly retryable: boolean;
  readonly internal?: string;

  constructor(refusal: Refusal, options: AppErrorOptions = {}) {
    super(`${refusal.code}: ${refusal.detail}`, { cause: options.cause });
    this.name = 'AppError';
    this.code = refusal.code;
    this.kind = refusal.kind;
    this.detail = refusal.detail;
    if (refusal.fields) this.fields = refusal.fields;
    this.retryable = options.retryable ?? refusal.kind === 'unavailable';
    if (options.internal !== undefined) this.internal = options.internal;
  }
}

/** Makes an error to throw: `throw fault('not-found', 'run-not-found', 'There is no run run_x; list runs with ...')`. */
export const fault = (kind: ErrorKind, code: string, detail: string, options: AppErrorOptions = {}): AppError =>
  new AppError({ kind, code, detail }, options);

/** True for an `AppError`, also one of another copy of this module or a worker thread (by shape, as `instanceof` does not cross). */
export const isAppError = (error: unknown): error is AppError =>
  error instanceof Error && error.name === 'AppError' && 'code' in error && 'kind' in error;

/** True when `error` is an `AppError` with this code. */
export const hasCode = (error: unknown, code: string): error is AppError => isAppError(error) && error.code === code;

/** The text of whatever was thrown, for a log line. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For the `default` branch of an exhaustive switch: a forgotten case does not compile, an impossible one is a fault. */
export const unreachable = (value: never, what: string): never => {
  throw fault('internal', 'unknown-variant', `Unknown ${what}; a newer version may have written it`, { internal: JSON.stringify(value) });
};
