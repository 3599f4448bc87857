/** What a cache or a journal keeps of an entry: its raw path, its manifest line without the end, and its reference records. */
export interface FileRecord {
  readonly path: Buffer;
  /** See `manifestLineHead`. */
  readonly head: Buffer;
  readonly references: Buffer;
}

/** Path length 4 | head length 4, to stand before path, head and references. */
export const fileRecordHeader = (path: Uint8Array, head: Uint8Array): Buffer => {
  const header = Buffer.allocUnsafe(8);
  header.writeUInt32LE(path.length, 0);
  header.writeUInt32LE(head.length, 4);
  return header;
};

/** Undefined when the lengths do not fit. Views, not copies. */
export const decodeFileRecord = (bytes: Buffer): FileRecord | undefined => {
  if (bytes.length < 8) return undefined;
  const headAt = 8 + bytes.readUInt32LE(0);
  const referencesAt = headAt + bytes.readUInt32LE(4);
  if (referencesAt > bytes.length) return undefined;
  return { path: bytes.subarray(8, headAt), head: bytes.subarray(headAt, referencesAt), references: bytes.subarray(referencesAt) };
};
