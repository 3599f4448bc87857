import type { SourceEntry } from '#sources';
import { factsPerFile } from './content-messages.ts';
import type { FilesToRead } from './content-pool.ts';

/** A batch is sent when its files have this much content, or are this many. */
const batchBytes = 1024 * 1024;
const batchFiles = 128;

/** Collects neighbouring files for one job, so that small ones share frames with their neighbours. */
export class FilesBatch {
  private files: { readonly slot: number; readonly entry: SourceEntry; readonly path: Buffer }[] = [];
  private bytes = 0;

  add(slot: number, entry: SourceEntry, path: Buffer): void {
    this.files.push({ slot, entry, path });
    this.bytes += entry.size;
  }

  get full(): boolean {
    return this.bytes >= batchBytes || this.files.length >= batchFiles;
  }

  /** What was collected, undefined when there is nothing. */
  take(): FilesToRead | undefined {
    const files = this.files;
    if (files.length === 0) return undefined;
    this.files = [];
    this.bytes = 0;
    const paths = Buffer.allocUnsafeSlow(files.reduce((sum, file) => sum + 4 + file.path.length, 0));
    const facts = new BigInt64Array(files.length * factsPerFile);
    let at = 0;
    files.forEach(({ entry, path }, index) => {
      at = paths.writeUInt32LE(path.length, at);
      at += path.copy(paths, at);
      facts.set([BigInt(entry.size), entry.mtimeNs, entry.ctimeNs, entry.inode, entry.device], index * factsPerFile);
    });
    return { slots: files.map((file) => file.slot), paths, facts };
  }
}
