/** Reads fixed-size little-endian fields one after the other and refuses to leave its bytes. */
export class ByteCursor {
  private readonly bytes: Buffer;
  private readonly outside: () => Error;
  private position = 0;

  /** @param outside makes the error to throw when a field does not fit. */
  constructor(bytes: Uint8Array, outside: () => Error) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.outside = outside;
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  private advance(length: number): number {
    if (length > this.remaining) throw this.outside();
    const start = this.position;
    this.position += length;
    return start;
  }

  u8(): number {
    return this.bytes.readUInt8(this.advance(1));
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.advance(4));
  }

  /** An unsigned 64-bit number; one beyond 2^53 - 1 is refused. */
  u64(): number {
    const value = this.bytes.readBigUInt64LE(this.advance(8));
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.outside();
    return Number(value);
  }

  /** A view, not a copy. */
  take(length: number): Buffer {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }
}
