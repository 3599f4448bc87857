import { type AppError, fault } from '#kernel';

/** A place that is down, busy or slow. Retryable. */
export const storageUnavailable = (detail: string, cause?: unknown): AppError =>
  fault('unavailable', 'storage-unavailable', detail, { cause, retryable: true });

/** A place that says no: wrong credential, missing permission. Permanent. */
export const storageDenied = (detail: string, cause?: unknown): AppError => fault('forbidden', 'storage-denied', detail, { cause });

/** A place that answers in a way that will not change by asking again. Permanent. */
export const storageFailed = (detail: string, cause?: unknown): AppError =>
  fault('internal', 'storage-failed', detail, { cause, retryable: false });

/** A range that reaches beyond the object's end, or an object shorter than announced. Permanent. */
export const objectTruncated = (name: string): AppError =>
  fault('refused', 'object-truncated', `The object ${name} ends before the bytes that should be there`);

/** A body that does not have the SHA-256 or the length it was announced with. Permanent; nothing was stored. */
export const objectMismatch = (name: string): AppError =>
  fault('refused', 'object-mismatch', `The bytes sent for ${name} are not the ones announced; nothing was stored`);

/** An object larger than anything this format writes. Permanent. */
export const objectTooLarge = (name: string, limit: number): AppError =>
  fault('refused', 'object-too-large', `The object ${name} is larger than ${limit} bytes`);

/** More than one read of a store may ever bring into memory. */
export const maxObjectBytes = 512 * 1024 * 1024;
