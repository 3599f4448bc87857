import { HttpException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { type ErrorKind, type FieldFault, type Refusal, isAppError, messageOf, refuse } from '#kernel';

const statuses: Readonly<Record<ErrorKind, number>> = {
  validation: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  stale: 412,
  refused: 422,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
};

const titles: Readonly<Record<ErrorKind, string>> = {
  validation: 'The request is malformed',
  unauthorized: 'Log in first',
  forbidden: 'Not allowed',
  'not-found': 'Not found',
  conflict: 'Not possible in this state',
  stale: 'Changed by somebody else',
  refused: 'Refused by a rule',
  'rate-limited': 'Too many requests',
  internal: 'A fault of the server',
  unavailable: 'Not available now',
};

/** Body of every error answer: RFC 9457, media type `application/problem+json`. */
export interface Problem {
  /** A URI that is as stable as the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** Stable, kebab-case. */
  readonly code: string;
  /** A sentence that says what to do. */
  readonly detail: string;
  /** Path of the request. */
  readonly instance: string;
  /** Faulty fields, where the request has some. */
  readonly errors?: readonly FieldFault[];
}

const byStatus: Readonly<Record<number, Refusal>> = {
  400: refuse('validation', 'malformed-request', 'The body is not valid JSON; send Content-Type: application/json and a JSON object'),
  401: refuse('unauthorized', 'not-logged-in', 'Log in, or send an API key as Authorization: Bearer'),
  404: refuse('not-found', 'no-such-path', 'There is nothing at this path; /api/docs lists what there is'),
  405: refuse('validation', 'no-such-method', 'This path does not take this method; /api/docs lists what there is'),
  413: refuse('validation', 'body-too-large', 'The body is too large; at most 1 MiB is accepted here'),
  415: refuse('validation', 'unsupported-media-type', 'Send Content-Type: application/json'),
};

const internal = refuse('internal', 'internal-error', 'The server failed on this request; its log says why');

const statusOf = (error: unknown): number | undefined => {
  if (error instanceof HttpException) return error.getStatus();
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' ? status : undefined;
};

const databaseDown = refuse('unavailable', 'database-unavailable', 'The database does not answer now; try again in a moment');

/** Connection trouble of Postgres: classes 08 (connection), 53 (resources), 57P (shutdown, start, timeout), or no connection at all. */
const isDatabaseTrouble = (error: unknown): boolean => {
  const driver: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const code = typeof driver === 'object' && driver !== null && 'code' in driver ? String(driver.code) : '';
  if (/^(08|53|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|57014)$/.test(code)) return true;
  return driver instanceof Error && /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(driver.message);
};

/** What a caller may know of anything that was thrown. Faults that are not ours show nothing of themselves. */
export const refusalOf = (error: unknown): Refusal => {
  if (isAppError(error)) return error;
  if (isDatabaseTrouble(error)) return databaseDown;
  const status = statusOf(error);
  if (status === undefined || status >= 500) return internal;
  return byStatus[status] ?? refuse('validation', 'bad-request', messageOf(error));
};

/** The answer to a refused or failed request. */
export const problemOf = (refusal: Refusal, instance: string): Problem => ({
  type: `urn:holdfast:problem:${refusal.code}`,
  title: titles[refusal.kind],
  status: statuses[refusal.kind],
  code: refusal.code,
  detail: refusal.detail,
  instance,
  ...(refusal.fields && refusal.fields.length > 0 ? { errors: refusal.fields } : {}),
});
