import { fault } from '#kernel';
import type { BackupOptions, BackupResult } from './backup-options.ts';

/** Makes a snapshot. */
export const runBackup = (_options: BackupOptions): Promise<BackupResult> =>
  Promise.reject(fault('internal', 'not-built', 'The backup pipeline is not built yet'));
