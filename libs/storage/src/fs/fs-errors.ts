import { type AppError, fault, isAppError, messageOf } from '#kernel';
import { objectNotFound } from '../object-store.port.ts';
import { storageDenied, storageFailed, storageUnavailable } from '../store-errors.ts';

const unavailable = new Set(['EIO', 'EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'ESTALE', 'EINTR', 'ENOMEM', 'EHOSTDOWN', 'ENOTCONN']);

/** Turns what the file system threw into an `AppError` with `retryable` set. */
export const fsError = (name: string, error: unknown): AppError => {
  if (isAppError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return objectNotFound(name);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return fault('unavailable', 'storage-full', 'The target has no space left; free some or choose another', { cause: error, retryable: true });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return storageDenied(`The target folder does not allow this (${code})`, error);
  if (unavailable.has(code)) return storageUnavailable(`The target folder does not answer (${code})`, error);
  return storageFailed(`The target folder answers ${code || messageOf(error)}`, error);
};
