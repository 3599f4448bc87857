import { fault } from '#kernel';
import type { RestoreOptions, RestoreResult } from './restore-options.ts';

/** Restores a snapshot or a part of it. */
export const runRestore = (_options: RestoreOptions): Promise<RestoreResult> =>
  Promise.reject(fault('internal', 'not-built', 'The restore pipeline is not built yet'));
