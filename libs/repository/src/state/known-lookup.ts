import { closeSync, openSync, readSync } from 'node:fs';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { knownFile } from './known-file.ts';
import { includesId } from './sorted-ids.ts';

/** What a thread needs to look ids up: sent by `postMessage`, its memory shared. */
export interface KnownTable {
  /** The file of records, absent when nothing is known. */
  readonly path?: string;
  /** Offset of the first record in it. */
  readonly start: number;
  /** First 8 bytes of every id, big-endian, ascending: two 32-bit halves. */
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Ids that count as not stored, ascending. */
  readonly condemned: Uint8Array;
}

/**
 * Tells whether an id is stored. A fingerprint that matches is confirmed with the full id in the file: a false hit would be lost
 * data. Open one a thread.
 */
export class KnownLookup {
  private readonly table: KnownTable;
  private readonly record = Buffer.alloc(chunkIdBytes);
  private fd = -1;

  constructor(table: KnownTable) {
    this.table = table;
  }

  has(id: Buffer): boolean {
    const { high, condemned } = this.table;
    if (high.length === 0) return false;
    const first = this.lowerBound(id.readUInt32BE(0), id.readUInt32BE(4));
    for (let at = first; this.matches(at, id); at++) {
      if (this.confirm(at, id)) return condemned.length === 0 || !includesId(condemned, id);
    }
    return false;
  }

  private matches(at: number, id: Buffer): boolean {
    return this.table.high[at] === id.readUInt32BE(0) && this.table.low[at] === id.readUInt32BE(4);
  }

  private lowerBound(wantedHigh: number, wantedLow: number): number {
    const { high, low } = this.table;
    let from = 0;
    let to = high.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const h = high[middle] as number;
      if (h < wantedHigh || (h === wantedHigh && (low[middle] as number) < wantedLow)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  private confirm(at: number, id: Buffer): boolean {
    if (this.fd < 0) this.fd = openSync(this.table.path ?? '', 'r');
    const read = readSync(this.fd, this.record, 0, chunkIdBytes, this.table.start + at * knownFile.recordBytes);
    return read === chunkIdBytes && this.record.equals(id);
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
}
