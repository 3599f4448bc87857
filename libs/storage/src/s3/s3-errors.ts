import { type AppError, fault, isAppError, messageOf } from '#kernel';
import { objectNotFound } from '../object-store.port.ts';
import { objectMismatch, objectTruncated, storageDenied, storageFailed, storageUnavailable } from '../store-errors.ts';

interface ServiceError { readonly name: string; readonly $metadata?: { readonly httpStatusCode?: number } }

/** HTTP status of an error of the SDK; undefined when no answer came. */
export const statusOf = (error: unknown): number | undefined => (error as ServiceError | undefined)?.$metadata?.httpStatusCode;

/** True when the server does not know conditional writes. */
export const isNotImplemented = (error: unknown): boolean => statusOf(error) === 501 || (error as ServiceError | undefined)?.name === 'NotImplemented';

/** True when the object of a create-only write was there already. */
export const isPreconditionFailed = (error: unknown): boolean => statusOf(error) === 412;

const byName: Record<string, (name: string, error: unknown) => AppError> = {
  NoSuchKey: (name) => objectNotFound(name),
  NotFound: (name) => objectNotFound(name),
  NoSuchBucket: (_, error) => fault('not-found', 'storage-bucket-missing', 'The bucket of this target does not exist; create it or correct its name', { cause: error }),
  BadDigest: (name) => objectMismatch(name),
  InvalidDigest: (name) => objectMismatch(name),
  XAmzContentSHA256Mismatch: (name) => objectMismatch(name),
  IncompleteBody: (name) => objectMismatch(name),
  InvalidRange: (name) => objectTruncated(name),
  RequestTimeTooSkewed: (_, error) => fault('refused', 'storage-clock-skew', 'The clocks of this host and of the target differ too much; correct them', { cause: error }),
  RequestTimeout: (_, error) => storageUnavailable('The target gave up waiting for the request', error),
};

const byStatus = (status: number, name: string, error: unknown): AppError => {
  if (status === 404) return objectNotFound(name);
  if (status === 416) return objectTruncated(name);
  if (status === 401 || status === 403) return storageDenied(`The target refuses the credential or the permission (${status})`, error);
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
    return storageUnavailable(`The target is busy or down (${status})`, error);
  }
  return storageFailed(`The target answers ${status} ${(error as ServiceError).name}`, error);
};

/** What is worth logging: the SDK's own errors drag the whole connection along. */
const slim = (error: unknown): Error => {
  const { name, message, code } = error as Error & { code?: string };
  return Object.assign(new Error(message), { name, code, $metadata: { httpStatusCode: statusOf(error) } });
};

/** Turns what the SDK threw into an `AppError` with `retryable` set. No answer at all is retryable. */
export const s3Error = (name: string, thrown: unknown): AppError => {
  if (isAppError(thrown)) return thrown;
  const error = slim(thrown);
  const known = byName[error.name];
  if (known) return known(name, error);
  const status = statusOf(error);
  if (status !== undefined) return byStatus(status, name, error);
  if (error.name === 'CredentialsProviderError') return storageDenied('No credential for the target; set its access key', error);
  return storageUnavailable(`The target cannot be reached: ${messageOf(error)}`, error);
};
