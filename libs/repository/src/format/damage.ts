import { type AppError, fault, isAppError } from '#kernel';

/** Bytes of a target that are not what the format says. Permanent; says what is wrong, never what the content is. */
export const damaged = (code: string, detail: string): AppError => fault('refused', code, detail, { retryable: false });

/** Codes of damage: whatever throws one of these has seen bytes that nobody honest wrote. A failed fetch is never one of them. */
export const damageCodes = [
  'frame-damaged', 'pack-damaged', 'manifest-damaged', 'refs-damaged', 'snapshot-damaged', 'repository-damaged', 'chunk-mismatch',
  'key-damaged', 'object-damaged', 'chunk-missing',
] as const;

/** True when `error` says that stored bytes are wrong, as opposed to out of reach or in need of a key. */
export const isDamage = (error: unknown): boolean => isAppError(error) && (damageCodes as readonly string[]).includes(error.code);
