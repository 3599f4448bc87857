import { setImmediate as turn } from 'node:timers/promises';
import type { ChunkReader } from '../restore/chunk-reader.ts';
import { sectionPlain } from '../restore/open-snapshot.ts';
import { frameCipher } from '../format/frame.ts';
import { type ChunkClass, frameClass, limits } from '../format/limits.ts';
import { damaged } from '../format/damage.ts';
import { decodeList, decodeReferences, type Reference, referenceKind } from '../format/refs.ts';
import { decodeCatalogSection, decodeDataSectionChunks, type ManifestPart } from '../format/sections.ts';
import { openCatalogSection, type SealedSnapshot } from '../format/snapshot.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/** One chunk that a snapshot needs. */
export interface NeededChunk {
  readonly class: ChunkClass;
  readonly id: Buffer;
  readonly length?: number;
  readonly role: 'section' | 'manifest' | 'refs' | 'list' | 'content';
  /** Number of the manifest part; absent for sections. */
  readonly part?: number;
  /** Number, within the part, of the record that leads to it; for `list` and `content`. */
  readonly record?: number;
}

/** What a catalog key tells of a snapshot. */
export interface CatalogView {
  readonly parts: readonly ManifestPart[];
  /** Chunks of the two sections, where they are not inline. */
  readonly sections: readonly NeededChunk[];
}

/** Opens the catalog section. Throws damage, `key-not-available`, `chunk-missing` and the target's errors. */
export const readCatalogView = async (sealed: SealedSnapshot, keys: KeyRing, chunks: ChunkReader): Promise<CatalogView> => {
  const { header } = sealed;
  const body = openCatalogSection(sealed, frameCipher(header.repository, await keys.get('catalog', header.catalogKey)));
  const references = body.form === 'chunks' ? body.references : [];
  const plain = await sectionPlain(body, frameClass.catalog, chunks);
  const section = (chunkClass: ChunkClass) => ({ id, length }: Reference): NeededChunk => ({ class: chunkClass, id, length, role: 'section' });
  return {
    parts: decodeCatalogSection(plain),
    sections: [...references.map(section(frameClass.catalog)), ...decodeDataSectionChunks(plain).map(section(frameClass.data))],
  };
};

/** Told when a refs or list chunk cannot be read: what it leads to is unknown. */
export type OnUnreadable = (chunk: NeededChunk, error: unknown) => void;

interface Place {
  readonly part: number;
  readonly record?: number;
  readonly depth: number;
  /** Lists that were opened already, by id and length; absent: those of one record only. Lists that name lists again and again would never end. */
  readonly opened?: Set<string>;
}

async function* expand(references: readonly Reference[], place: Place, chunks: ChunkReader, onUnreadable: OnUnreadable): AsyncGenerator<NeededChunk> {
  if (place.depth > limits.listDepth) throw damaged('refs-damaged', 'A list of references is damaged: lists in lists beyond the depth the format allows');
  for (const [i, reference] of references.entries()) {
    const at = { part: place.part, record: place.record ?? i };
    const opened = place.opened ?? new Set<string>();
    if (reference.kind === referenceKind.chunk) {
      yield { class: frameClass.data, id: reference.id, length: reference.length, role: 'content', ...at };
      continue;
    }
    const list: NeededChunk = { class: frameClass.catalog, id: reference.id, role: 'list', ...at };
    yield list;
    const key = `${reference.id.toString('hex')} ${reference.length}`;
    if (opened.has(key)) continue;
    opened.add(key);
    try {
      const records = decodeList(await chunks.list(reference.id), reference.length);
      yield* expand(records, { ...at, opened, depth: place.depth + 1 }, chunks, onUnreadable);
    } catch (error) {
      onUnreadable(list, error);
    }
  }
}

/**
 * Every chunk of one manifest part: the manifest itself, its refs, its lists and the content. What is below a list comes once for each
 * record that leads to it, or, when `opened` is shared, once. Needs catalog keys only.
 */
export async function* chunksOfPart(
  part: ManifestPart, number: number, chunks: ChunkReader, { onUnreadable, opened }: { readonly onUnreadable: OnUnreadable; readonly opened?: Set<string> },
): AsyncGenerator<NeededChunk> {
  yield { class: frameClass.data, id: part.manifest, role: 'manifest', part: number };
  if (part.references === 0) return;
  const refs: NeededChunk = { class: frameClass.catalog, id: part.refs, role: 'refs', part: number };
  yield refs;
  try {
    const records = decodeReferences(await chunks.read(frameClass.catalog, part.refs));
    if (records.length !== part.references) throw damaged('refs-damaged', 'A list of references is damaged: it has another count than its snapshot says');
    yield* expand(records, { part: number, depth: 0, ...(opened ? { opened } : {}) }, chunks, onUnreadable);
  } catch (error) {
    onUnreadable(refs, error);
  }
}

/** Every chunk that a snapshot needs, what is below one list once. Throws what stands in the way. The event loop gets its turns. */
export async function* chunksOf(view: CatalogView, chunks: ChunkReader): AsyncGenerator<NeededChunk> {
  yield* view.sections;
  const opened = new Set<string>();
  const onUnreadable: OnUnreadable = (_chunk, error) => {
    throw error;
  };
  for (const [number, part] of view.parts.entries()) {
    await turn();
    yield* chunksOfPart(part, number, chunks, { onUnreadable, opened });
  }
}
