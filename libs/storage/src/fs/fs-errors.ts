import { type AppError, fault, isAppError, messageOf } from '#kernel';
import { objectNotFound } from '../object-store.port.ts';
import { storageDenied, storageFailed, storageUnavailable } from '../store-errors.ts';

const kinds = {
  missing: ['ENOENT', 'ENOTDIR', 'EISDIR'],
  full: ['ENOSPC', 'EDQUOT'],
  denied: ['EACCES', 'EPERM', 'EROFS', 'ELOOP'],
  unavailable: ['EIO', 'EAGAIN', 'EBUSY', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'ESTALE', 'EINTR', 'ENOMEM', 'EHOSTDOWN', 'ENOTCONN'],
};

/** Turns what the file system threw into an `AppError` with `retryable` set. */
export const fsError = (name: string, error: unknown): AppError => {
  if (isAppError(error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (kinds.missing.includes(code)) return objectNotFound(name);
  if (kinds.full.includes(code)) {
    return fault('unavailable', 'storage-full', 'The target has no space left; free some or choose another', { cause: error, retryable: true });
  }
  if (kinds.denied.includes(code)) return storageDenied(`The target folder does not allow this (${code})`, error);
  if (kinds.unavailable.includes(code)) return storageUnavailable(`The target folder does not answer (${code})`, error);
  return storageFailed(`The target folder answers ${code || messageOf(error)}`, error);
};
