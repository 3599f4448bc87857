import { catalogChunkId, chunkIdBytes } from './chunk-id.ts';
import { ByteCursor } from './byte-cursor.ts';
import { damaged } from './damage.ts';
import { limits } from './limits.ts';

/** Bytes of one record: kind 1 | id 32 | length 8. */
export const recordBytes = 1 + chunkIdBytes + 8;

/** `chunk`: content. `list`: a catalog chunk of more such records. */
export const referenceKind = { chunk: 1, list: 2 } as const;
export type ReferenceKind = (typeof referenceKind)[keyof typeof referenceKind];

/** What an entry refers to. */
export interface Reference {
  readonly kind: ReferenceKind;
  /** 32 bytes. */
  readonly id: Buffer;
  /** Bytes of content: of the chunk, or of all chunks below the list. */
  readonly length: number;
}

const broken = (what: string): Error => damaged('refs-damaged', `A list of references is damaged: ${what}`);

/** The records, one after the other. */
export const encodeReferences = (references: readonly Reference[]): Buffer => {
  const bytes = Buffer.alloc(references.length * recordBytes);
  references.forEach((reference, index) => {
    const at = index * recordBytes;
    bytes.writeUInt8(reference.kind, at);
    bytes.set(reference.id, at + 1);
    bytes.writeBigUInt64LE(BigInt(reference.length), at + 1 + chunkIdBytes);
  });
  return bytes;
};

/** The records of a refs chunk or a list chunk. Throws `refs-damaged`. Ids are views. */
export const decodeReferences = (bytes: Uint8Array): Reference[] => {
  if (bytes.length % recordBytes !== 0) throw broken('its length is not that of whole records');
  const cursor = new ByteCursor(bytes, () => broken('it is cut short'));
  const references: Reference[] = [];
  while (cursor.remaining > 0) {
    const kind = cursor.u8();
    if (kind !== referenceKind.chunk && kind !== referenceKind.list) throw broken(`a record of the unknown kind ${kind}`);
    const reference = { kind, id: cursor.take(chunkIdBytes), length: cursor.u64() };
    if (reference.length === 0) throw broken('a record of nothing');
    references.push(reference);
  }
  return references;
};

/** The records of a list chunk: at least one, at most 16,384, and together as long as the record that named the list. */
export const decodeList = (bytes: Uint8Array, length: number): Reference[] => {
  const references = decodeReferences(bytes);
  if (references.length === 0 || references.length > limits.listRecords) throw broken(`a list of ${references.length} records`);
  const total = references.reduce((sum, reference) => sum + reference.length, 0);
  if (total !== length) throw broken('a list whose records do not add up to its length');
  return references;
};

/** The chunks that records stand for, in order, lists opened on the way. `fetchList` gives the plaintext of a catalog chunk. */
export async function* expandReferences(
  references: readonly Reference[], fetchList: (id: Buffer) => Promise<Uint8Array>, depth = 0,
): AsyncGenerator<Reference> {
  if (depth > limits.listDepth) throw broken('lists in lists beyond the depth the format allows');
  for (const reference of references) {
    if (reference.kind === referenceKind.chunk) yield reference;
    else yield* expandReferences(decodeList(await fetchList(reference.id), reference.length), fetchList, depth + 1);
  }
}

const listCut = { min: 512, mask: 2047 } as const;

const cutsList = (level: readonly Reference[]): boolean => {
  const last = level[level.length - 1];
  if (!last || level.length < listCut.min) return false;
  return level.length >= limits.listRecords || (last.id.readUInt32LE(0) & listCut.mask) === 0;
};

/**
 * Collects the references of one entry and turns more than 16 into list chunks as they come, so that memory stays bounded however
 * large the file is. A list is cut after 512 or more records where the first four bytes of the last id (little-endian) are 0 modulo
 * 2,048, and after 16,384 at the latest.
 */
export class ReferenceCollector {
  private readonly levels: Reference[][] = [[]];
  private readonly emit: (id: Buffer, plain: Buffer) => void;

  /** @param emit takes each finished list chunk; it must be stored before the snapshot is. */
  constructor(emit: (id: Buffer, plain: Buffer) => void) {
    this.emit = emit;
  }

  add(id: Buffer, length: number): void {
    this.push(0, { kind: referenceKind.chunk, id, length });
  }

  private push(depth: number, reference: Reference): void {
    const level = (this.levels[depth] ??= []);
    level.push(reference);
    if (cutsList(level)) this.close(depth);
  }

  private close(depth: number): void {
    const level = this.levels[depth] ?? [];
    this.levels[depth] = [];
    const plain = encodeReferences(level);
    const id = catalogChunkId(plain);
    this.emit(id, plain);
    this.push(depth + 1, { kind: referenceKind.list, id, length: level.reduce((sum, item) => sum + item.length, 0) });
  }

  /** The records of the entry: at most 16. */
  finish(): Reference[] {
    for (let depth = 0; ; depth++) {
      const level = this.levels[depth] ?? [];
      const isTop = this.levels.slice(depth + 1).every((above) => above.length === 0);
      if (isTop && level.length <= limits.directReferences) return level;
      if (level.length > 0) this.close(depth);
    }
  }
}
