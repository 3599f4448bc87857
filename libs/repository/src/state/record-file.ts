import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** A record file is blocks: length 4 | CRC-32 4 | records, each length 4 | bytes. A torn or altered block ends it. */
const blockHeader = 8;
const blockBytes = 128 * 1024;
const maxBlock = 64 * 1024 * 1024;

/** Appends records; what was appended is in the file after `flush`. */
export class RecordWriter {
  private fd: number;
  private block = Buffer.allocUnsafeSlow(2 * blockBytes);
  private used = blockHeader;

  /** Begins a file. Throws when there is one of this name. */
  constructor(path: string) {
    this.fd = openSync(path, 'wx', 0o600);
  }

  append(...parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) length += part.length;
    if (this.used + 4 + length > this.block.length) this.makeRoom(4 + length);
    let at = this.block.writeUInt32LE(length, this.used);
    for (const part of parts) {
      this.block.set(part, at);
      at += part.length;
    }
    this.used = at;
    if (this.used >= blockBytes) this.flush();
  }

  private makeRoom(length: number): void {
    this.flush();
    if (blockHeader + length > this.block.length) this.block = Buffer.allocUnsafeSlow(blockHeader + length);
  }

  flush(): void {
    if (this.used === blockHeader) return;
    this.block.writeUInt32LE(this.used - blockHeader, 0);
    this.block.writeUInt32LE(crc32(this.block.subarray(blockHeader, this.used)), 4);
    for (let at = 0; at < this.used;) at += writeSync(this.fd, this.block, at, this.used - at);
    this.used = blockHeader;
  }

  close(): void {
    try {
      this.flush();
    } finally {
      this.abandon();
    }
  }

  /** Closes the file without what was not flushed. Idempotent. */
  abandon(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }
}

const readFully = (fd: number, bytes: Buffer): boolean => {
  for (let at = 0; at < bytes.length;) {
    const got = readSync(fd, bytes, at, bytes.length - at, null);
    if (got === 0) return false;
    at += got;
  }
  return true;
};

/** Reads the records of each block, one block at a time; stops at the first that is torn or altered. */
export function* readBlocks(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r');
  try {
    const header = Buffer.alloc(blockHeader);
    while (readFully(fd, header)) {
      const length = header.readUInt32LE(0);
      if (length > maxBlock) return;
      const block = Buffer.allocUnsafeSlow(length);
      if (!readFully(fd, block) || crc32(block) !== header.readUInt32LE(4)) return;
      yield block;
    }
  } finally {
    closeSync(fd);
  }
}

/** Reads the records one after the other. Views of their blocks. */
export function* readRecords(path: string): Generator<Buffer> {
  for (const block of readBlocks(path)) yield* recordsOf(block);
}

function* recordsOf(block: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= block.length;) {
    const end = at + 4 + block.readUInt32LE(at);
    if (end > block.length) return;
    yield block.subarray(at + 4, end);
    at = end;
  }
}
