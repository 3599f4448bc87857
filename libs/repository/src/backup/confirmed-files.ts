import type { Journal } from '../state/journal.ts';

interface WaitingFile {
  /** How many packs of each worker must be stored before all chunks of the file are. */
  readonly packs: readonly number[];
  readonly path: Buffer;
  readonly head: Buffer;
  readonly references: Uint8Array;
}

/**
 * Journals a file when all packs of its chunks are confirmed. A chunk of a file that is done lies in a pack that some worker had
 * closed or open at that moment; so the file waits until each worker has stored one pack more than it had closed.
 */
export class ConfirmedFiles {
  private readonly journal: Journal;
  private readonly closed: Int32Array;
  private readonly stored: number[];
  private waiting: WaitingFile[] = [];

  constructor(journal: Journal, closedPacks: SharedArrayBuffer, workers: number) {
    this.journal = journal;
    this.closed = new Int32Array(closedPacks);
    this.stored = Array.from({ length: workers }, () => 0);
  }

  /** A file was read as it is, without fault. */
  fileDone(path: Buffer, head: Buffer, references: Uint8Array, startedWorkers: number): void {
    const packs = this.stored.map((_, worker) => (worker < startedWorkers ? Atomics.load(this.closed, worker) + 1 : 0));
    this.waiting.push({ packs, path, head, references });
  }

  /** A pack of this worker is confirmed. Packs of one worker are confirmed in the order in which they were closed. */
  packStored(worker: number): void {
    this.stored[worker] = (this.stored[worker] ?? 0) + 1;
    const ready = this.waiting.findIndex((file) => file.packs.some((packs, index) => packs > (this.stored[index] ?? 0)));
    const done = this.waiting.splice(0, ready < 0 ? this.waiting.length : ready);
    for (const file of done) this.journal.file(file.path, file.head, file.references);
    if (done.length > 0) this.journal.flush();
  }
}
