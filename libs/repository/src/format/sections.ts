import { chunkIdBytes } from './chunk-id.ts';
import { ByteCursor } from './byte-cursor.ts';
import { damaged } from './damage.ts';
import { decodeReferences, encodeReferences, type Reference, referenceKind } from './refs.ts';

/** One manifest chunk of a snapshot, as its catalog section names it. */
export interface ManifestPart {
  /** 32 bytes: data class. */
  readonly manifest: Buffer;
  /** 32 bytes: catalog class; all zero when none of the entries has references: then there is no refs chunk. */
  readonly refs: Buffer;
  /** Lines of the manifest chunk. */
  readonly entries: number;
  /** Records of the refs chunk. */
  readonly references: number;
}

/** What the catalog section's refs id is when there is nothing to refer to. */
export const noRefs = Buffer.alloc(chunkIdBytes);

const partBytes = 2 * chunkIdBytes + 8;
const broken = (what: string): Error => damaged('snapshot-damaged', `A snapshot is damaged: ${what}`);

/**
 * Count 4, then for each part manifest id 32 | refs id 32 | entries 4 | references 4; then the records of the chunks that the data
 * section is cut into, none when it is inline: who holds the catalog key alone must know every chunk that a snapshot needs.
 */
export const encodeCatalogSection = (parts: readonly ManifestPart[], dataSection: readonly Reference[] = []): Buffer => {
  const bytes = Buffer.alloc(4 + parts.length * partBytes);
  bytes.writeUInt32LE(parts.length, 0);
  parts.forEach((part, index) => {
    const at = 4 + index * partBytes;
    bytes.set(part.manifest, at);
    bytes.set(part.refs, at + chunkIdBytes);
    bytes.writeUInt32LE(part.entries, at + 2 * chunkIdBytes);
    bytes.writeUInt32LE(part.references, at + 2 * chunkIdBytes + 4);
  });
  return Buffer.concat([bytes, encodeReferences(dataSection)]);
};

/** The records behind the parts: the chunks of the data section. Throws `snapshot-damaged` or `refs-damaged`. */
export const decodeDataSectionChunks = (plain: Uint8Array): Reference[] => {
  const cursor = new ByteCursor(plain, () => broken('its catalog section is cut short'));
  cursor.take(cursor.u32() * partBytes);
  return decodeReferences(cursor.take(cursor.remaining));
};

/** Throws `snapshot-damaged`. */
export const decodeCatalogSection = (plain: Uint8Array): ManifestPart[] => {
  const cursor = new ByteCursor(plain, () => broken('its catalog section is cut short'));
  const total = cursor.u32();
  if (cursor.remaining < total * partBytes) throw broken('its catalog section is shorter than it says');
  const parts: ManifestPart[] = [];
  while (parts.length < total) {
    const part = { manifest: cursor.take(chunkIdBytes), refs: cursor.take(chunkIdBytes), entries: cursor.u32(), references: cursor.u32() };
    if (part.entries === 0 || part.refs.equals(noRefs) !== (part.references === 0)) throw broken('a part with impossible counts');
    parts.push(part);
  }
  return parts;
};

/** What only a data recipient may know of a snapshot. */
export interface DataSection {
  readonly task: { readonly id: string; readonly name?: string };
  /** The source's description of itself: type, paths, options. */
  readonly source: Readonly<Record<string, unknown>>;
  /** Counts: files, directories, others, bytes, and so on. */
  readonly statistics: Readonly<Record<string, number>>;
  /** The first path of every manifest chunk, in the catalog section's order: the sparse index. */
  readonly index: readonly Buffer[];
}

const pathJson = (path: Buffer): { path: string } | { path64: string } => {
  const text = path.toString('utf8');
  return Buffer.from(text, 'utf8').equals(path) ? { path: text } : { path64: path.toString('base64') };
};

/** JSON with the keys task, source, statistics, index. */
export const encodeDataSection = (section: DataSection): Buffer =>
  Buffer.from(JSON.stringify({ task: section.task, source: section.source, statistics: section.statistics, index: section.index.map(pathJson) }));

const indexPath = (value: unknown): Buffer => {
  if (typeof value === 'object' && value !== null) {
    if ('path' in value && typeof value.path === 'string') return Buffer.from(value.path, 'utf8');
    if ('path64' in value && typeof value.path64 === 'string') return Buffer.from(value.path64, 'base64');
  }
  throw broken('its sparse index holds something other than paths');
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const statisticsOf = (value: unknown): Record<string, number> => {
  if (!isObject(value)) throw broken('its statistics are malformed');
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, number] => typeof pair[1] === 'number'));
};

const taskOf = (value: unknown): DataSection['task'] => {
  if (!isObject(value) || typeof value['id'] !== 'string') throw broken('its task is malformed');
  return typeof value['name'] === 'string' ? { id: value['id'], name: value['name'] } : { id: value['id'] };
};

/** Throws `snapshot-damaged`. */
export const decodeDataSection = (plain: Uint8Array): DataSection => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(plain).toString('utf8'));
  } catch {
    throw broken('its data section is no JSON');
  }
  if (!isObject(parsed) || !isObject(parsed['source']) || !Array.isArray(parsed['index'])) throw broken('its data section is malformed');
  return {
    task: taskOf(parsed['task']), source: parsed['source'], statistics: statisticsOf(parsed['statistics']), index: parsed['index'].map(indexPath),
  };
};

/** How a section lies in the snapshot: in it, or cut into chunks of its class. */
export type SectionBody = { readonly form: 'inline'; readonly plain: Uint8Array } | { readonly form: 'chunks'; readonly references: readonly Reference[] };

/** Form 1 (0 inline, 1 chunks), then the section or the records of its pieces. */
export const encodeSectionBody = (body: SectionBody): Buffer =>
  body.form === 'inline' ? Buffer.concat([Buffer.from([0]), body.plain]) : Buffer.concat([Buffer.from([1]), encodeReferences(body.references)]);

/** Throws `snapshot-damaged` or `refs-damaged`. */
export const decodeSectionBody = (bytes: Uint8Array): SectionBody => {
  const form = bytes[0];
  if (form === 0) return { form: 'inline', plain: bytes.subarray(1) };
  if (form !== 1) throw broken('a section of an unknown form');
  const references = decodeReferences(bytes.subarray(1));
  if (references.some((reference) => reference.kind !== referenceKind.chunk)) throw broken('a section cut into something other than chunks');
  return { form: 'chunks', references };
};
