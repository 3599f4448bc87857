import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryPath } from './temporary-file.ts';

/** What the last snapshot of a task held. */
export interface Totals {
  readonly files: number;
  readonly bytes: number;
}

const fileOf = (directory: string): string => join(directory, 'totals');

/** Of a task's state directory; undefined when there was no snapshot, or the file cannot be understood. */
export const readTotals = (directory: string): Totals | undefined => {
  try {
    const { files, bytes } = JSON.parse(readFileSync(fileOf(directory), 'utf8')) as Partial<Totals>;
    return Number.isSafeInteger(files) && Number.isSafeInteger(bytes) ? { files: Number(files), bytes: Number(bytes) } : undefined;
  } catch {
    return undefined;
  }
};

/** Replaces them, where they changed. */
export const writeTotals = (directory: string, { files, bytes }: Totals): void => {
  const before = readTotals(directory);
  if (before?.files === files && before.bytes === bytes) return;
  const temporary = temporaryPath(directory, 'totals');
  writeFileSync(temporary, JSON.stringify({ files, bytes }), { mode: 0o600 });
  renameSync(temporary, fileOf(directory));
};
