import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { chunkIdBytes } from '../format/chunk-id.ts';

/**
 * The file of stored chunks: magic 8 "HFKNOWN1", generation 8, epoch 16, packs 4, zeros 4, then the SHA-256 of each pack, then the
 * records (id 32, pack index 4) in ascending order of ids, and the SHA-256 of all that. A cache of one writer: it may be thrown away.
 */
export const knownFile = { magic: Buffer.from('HFKNOWN1', 'latin1'), headerBytes: 40, recordBytes: chunkIdBytes + 4 } as const;

/** What the file says about itself. */
export interface KnownHeader {
  readonly generation: number;
  /** 32 hex digits; changes whenever ids are taken away, never when some are added. */
  readonly epoch: string;
  readonly packs: number;
}

export const encodeKnownHeader = (header: KnownHeader): Buffer => {
  const bytes = Buffer.alloc(knownFile.headerBytes);
  knownFile.magic.copy(bytes);
  bytes.writeBigUInt64LE(BigInt(header.generation), 8);
  bytes.write(header.epoch, 16, 'hex');
  bytes.writeUInt32LE(header.packs, 32);
  return bytes;
};

/** Undefined when these are not the first bytes of such a file. */
export const decodeKnownHeader = (bytes: Buffer): KnownHeader | undefined => {
  if (bytes.length < knownFile.headerBytes || !bytes.subarray(0, 8).equals(knownFile.magic)) return undefined;
  return {
    generation: Number(bytes.readBigUInt64LE(8)), epoch: bytes.toString('hex', 16, 32),
    packs: bytes.readUInt32LE(32),
  };
};

/** Offset of the first record. */
export const recordsStart = (header: KnownHeader): number => knownFile.headerBytes + header.packs * 32;

/** Records in a file of this size; undefined when the size fits no whole number of them. */
export const recordsIn = (header: KnownHeader, size: number): number | undefined => {
  const records = (size - 32 - recordsStart(header)) / knownFile.recordBytes;
  return Number.isInteger(records) && records >= 0 ? records : undefined;
};

/** Writes bytes one after the other and hashes them on the way. */
export class HashedFile {
  private readonly hash = createHash('sha256');
  private readonly file: FileHandle;

  constructor(file: FileHandle) {
    this.file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.hash.update(bytes);
    await this.file.writeFile(bytes);
  }

  /** Appends the hash and makes the file durable. */
  async end(): Promise<void> {
    await this.file.writeFile(this.hash.digest());
    await this.file.sync();
  }
}

/** Reads the whole file once, block by block, and says whether its last 32 bytes are the SHA-256 of the rest. */
export const readVerified = async (path: string, size: number, onBlock: (bytes: Buffer, offset: number) => void): Promise<boolean> => {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const block = Buffer.allocUnsafe(1024 * 1024);
    let offset = 0;
    while (offset < size - 32) {
      const { bytesRead } = await file.read(block, 0, Math.min(block.length, size - 32 - offset), offset);
      if (bytesRead === 0) return false;
      const bytes = block.subarray(0, bytesRead);
      hash.update(bytes);
      onBlock(bytes, offset);
      offset += bytesRead;
    }
    const tail = Buffer.alloc(32);
    const { bytesRead } = await file.read(tail, 0, 32, offset);
    return bytesRead === 32 && hash.digest().equals(tail);
  } finally {
    await file.close();
  }
};
