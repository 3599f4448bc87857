import type { ManifestEntry } from '../format/manifest-entry.ts';
import type { RestoreProgress } from './restore-options.ts';

/** How much a restore has to write, as far as known: what the snapshot says of itself less what stays as it is, then what was planned. */
export class RestoreTotals {
  private expected: { files: number; bytes: number } | undefined;
  private readonly planned = { files: 0, bytes: 0 };
  private isComplete = false;

  /** @param statistics of the snapshot, which is restored whole */
  expect({ files, bytes }: Readonly<Record<string, number>>): void {
    if (files !== undefined && bytes !== undefined) this.expected = { files, bytes };
  }

  /** An entry that is to be written, or needs no content. */
  placed({ type, size }: Pick<ManifestEntry, 'type' | 'size'>, write: boolean): void {
    if (type !== 'file' && type !== 'stream') return;
    const counts = write ? this.planned : this.expected;
    if (!counts) return;
    const sign = write ? 1 : -1;
    counts.files += sign;
    counts.bytes += sign * size;
  }

  /** Every entry came by. */
  complete(): void {
    this.isComplete = true;
  }

  get known(): Pick<RestoreProgress, 'totalFiles' | 'totalBytes' | 'estimated'> {
    const { planned, expected } = this;
    if (this.isComplete) return { totalFiles: planned.files, totalBytes: planned.bytes };
    // A snapshot that says less of itself than it holds says nothing.
    if (!expected || expected.files < planned.files || expected.bytes < planned.bytes) return {};
    return { totalFiles: expected.files, totalBytes: expected.bytes, estimated: true };
  }
}
