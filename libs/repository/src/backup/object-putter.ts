import { createHash } from 'node:crypto';
import type { ObjectWriter } from '#storage';

/** Writes objects whose names are made of their hashes, and counts bytes. */
export class ObjectPutter {
  private readonly writer: ObjectWriter;
  private readonly signal: AbortSignal | undefined;
  /** Bytes of objects that the target has confirmed. */
  storedBytes = 0;

  constructor(writer: ObjectWriter, signal?: AbortSignal) {
    this.writer = writer;
    this.signal = signal;
  }

  /** Durable when it resolves. `name` takes the SHA-256 of the bytes. */
  async put(name: (sha256: Buffer) => string, bytes: Uint8Array, sha256 = createHash('sha256').update(bytes).digest()): Promise<string> {
    const full = name(sha256);
    await this.writer.put(full, [bytes], this.signal ? { sha256, signal: this.signal } : { sha256 });
    this.storedBytes += bytes.length;
    return full;
  }
}
