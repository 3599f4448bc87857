import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A record file begins with a line of JSON; each record is length 4 | CRC-32 4 | bytes. A torn or altered record ends it. */
const recordHeader = 8;
const maxRecord = 32 * 1024 * 1024;
const flushBytes = 256 * 1024;

/** Appends records; what was appended is durable after `sync`. */
export class RecordWriter {
  private readonly fd: number;
  private parts: Buffer[] = [];
  private pending = 0;

  /** @param flags `wx` to begin a file, `a` to go on with one. */
  constructor(path: string, flags: 'wx' | 'a') {
    this.fd = openSync(path, flags, 0o600);
  }

  append(...bytes: readonly Uint8Array[]): void {
    const header = Buffer.allocUnsafe(recordHeader);
    let sum = 0;
    let length = 0;
    for (const part of bytes) {
      sum = crc32(part, sum);
      length += part.length;
    }
    header.writeUInt32LE(length, 0);
    header.writeUInt32LE(sum, 4);
    this.parts.push(header, ...bytes.map((part) => Buffer.from(part.buffer, part.byteOffset, part.length)));
    this.pending += length + recordHeader;
    if (this.pending >= flushBytes) this.flush();
  }

  flush(): void {
    if (this.parts.length > 0) writeSync(this.fd, Buffer.concat(this.parts));
    this.parts = [];
    this.pending = 0;
  }

  sync(): void {
    this.flush();
    fsyncSync(this.fd);
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }
}

/** Reads the records one after the other with little memory; stops at the first that is torn or altered. */
export function* readRecords(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    let rest: Buffer = Buffer.alloc(0);
    let wanted = flushBytes;
    for (;;) {
      const block = Buffer.allocUnsafe(wanted);
      const got = readSync(fd, block, 0, block.length, null);
      if (got === 0) return;
      const bytes = rest.length > 0 ? Buffer.concat([rest, block.subarray(0, got)]) : block.subarray(0, got);
      let at = 0;
      wanted = flushBytes;
      while (bytes.length - at >= recordHeader) {
        const length = bytes.readUInt32LE(at);
        if (length > maxRecord) return;
        if (bytes.length - at < recordHeader + length) {
          wanted = Math.max(flushBytes, recordHeader + length);
          break;
        }
        const record = bytes.subarray(at + recordHeader, at + recordHeader + length);
        if (crc32(record) !== bytes.readUInt32LE(at + 4)) return;
        yield record;
        at += recordHeader + length;
      }
      rest = bytes.subarray(at);
    }
  } finally {
    closeSync(fd);
  }
}
