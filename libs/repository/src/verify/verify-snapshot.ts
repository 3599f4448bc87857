import { counted, isAppError } from '#kernel';
import { printablePath } from '../backup/fault-list.ts';
import { troubleOf } from '../catalog/pack-catalog.ts';
import { type CatalogView, chunksOfPart, type NeededChunk, readCatalogView } from '../catalog/snapshot-closure.ts';
import { frameCipher } from '../format/frame.ts';
import { deriveSubkeys, type Key, type Subkeys } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import type { DataSection, ManifestPart } from '../format/sections.ts';
import { decodeDataSection } from '../format/sections.ts';
import { checkSnapshotMac, openDataSection, parseSnapshot, type SealedSnapshot } from '../format/snapshot.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { readPart } from '../restore/manifest-reader.ts';
import { readWhole, sectionPlain } from '../restore/open-snapshot.ts';
import type { ListedSnapshot } from '../snapshots/list-snapshots.ts';
import { decodeManifestChunk } from '../format/manifest.ts';
import type { ManifestEntry } from '../format/manifest-entry.ts';
import { copyState } from './check-pack.ts';
import { addMissingKey, type AskedKeys, isNotRecipient } from './verify-keys.ts';
import type { VerifyState } from './verify-state.ts';

/** What stands in the way of one manifest part: findings by record, and those that cost all of it. */
interface PartTrouble {
  readonly whole: Set<string>;
  /** Cost every entry with content. */
  readonly refs: Set<string>;
  readonly records: Map<number, Set<string>>;
}

/** Entries with content that findings may cost, where only their records are known. */
const countByFinding = (part: ManifestPart, trouble: PartTrouble): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const finding of [...trouble.records.values()].flatMap((found) => [...found])) counts.set(finding, (counts.get(finding) ?? 0) + 1);
  for (const finding of trouble.refs) counts.set(finding, part.entries);
  return counts;
};

const readData = async (sealed: SealedSnapshot, chunks: ChunkReader, dataKey: Key): Promise<DataSection> =>
  decodeDataSection(await sectionPlain(openDataSection(sealed, frameCipher(sealed.header.repository, dataKey)), frameClass.data, chunks));

/** Checks that everything a snapshot needs is there, and names what is lost where it is not. */
export class SnapshotVerifier {
  private readonly state: VerifyState;
  private readonly keys: AskedKeys;
  private readonly snapshot: ListedSnapshot;
  private readonly id: string;
  private chunks: ChunkReader | undefined;

  constructor(state: VerifyState, keys: AskedKeys, snapshot: ListedSnapshot) {
    this.state = state;
    this.keys = keys;
    this.snapshot = snapshot;
    this.id = snapshot.header.snapshot;
  }

  async verify(): Promise<void> {
    const { options } = this.state;
    if (!options.keys) return;
    const { header } = this.snapshot;
    const [idKey, dataKey] = [await this.requireKey('id', header.idKey), await this.requireKey('data', header.dataKey)];
    const subkeys = idKey && deriveSubkeys(idKey.bytes);
    const chunks = new ChunkReader({
      reader: options.store, keys: options.keys, repositoryId: header.repository, locations: this.state.catalog.locations,
      ...(subkeys ? { chunkIdKey: subkeys.chunkId } : {}), ...(options.signal ? { signal: options.signal } : {}),
    });
    this.chunks = chunks;
    if (!(await this.requireKey('catalog', header.catalogKey))) return;
    // Read again: before and after its turn only the header of a snapshot is in memory.
    const sealed = await this.attempt(async () => parseSnapshot(await readWhole(options.store, this.snapshot.name, options.signal)));
    if (sealed) await this.follow(sealed, chunks, { subkeys, dataKey });
  }

  private async follow(sealed: SealedSnapshot, chunks: ChunkReader, { subkeys, dataKey }: { subkeys: Subkeys | undefined; dataKey: Key | undefined }): Promise<void> {
    const view = await this.attempt(async () => {
      if (subkeys) checkSnapshotMac(sealed, subkeys.snapshot);
      return readCatalogView(sealed, this.ring(), chunks);
    });
    if (!view) return;
    for (const chunk of view.sections) for (const key of await this.culprits(chunk)) this.loseAll(key);
    const data = dataKey && subkeys ? await this.attempt(() => readData(sealed, chunks, dataKey)) : undefined;
    await this.verifyParts(view, data, subkeys !== undefined && dataKey !== undefined);
  }

  private ring() {
    const { keys } = this.state.options;
    if (!keys) throw new Error('A closure is checked with keys only');
    return keys;
  }

  private loseAll(finding: string): void {
    this.state.findings.lose(finding, { snapshot: this.id, whole: true });
  }

  /** Runs a step without which nothing of the snapshot can be read. */
  private async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.state.options.signal?.throwIfAborted();
      this.loseAll(this.state.findings.thrown(this.snapshot.name, error));
      return undefined;
    }
  }

  /** A key of the header; when it cannot be had for another reason than that the identity is no recipient, all is lost. */
  private async requireKey(keyClass: 'id' | 'data' | 'catalog', keyId: string) {
    const key = await this.keys.get(keyClass, keyId);
    if (!key) for (const finding of await this.keyTrouble(keyClass, keyId)) this.loseAll(finding);
    return key;
  }

  private async keyTrouble(keyClass: 'id' | 'data' | 'catalog', keyId: string): Promise<string[]> {
    const { findings, byKey, options } = this.state;
    const wrappings = byKey.get(`${keyClass} ${keyId}`) ?? [];
    if (wrappings.length === 0) return [addMissingKey(findings, keyClass, keyId)];
    const error = await this.keys.error(keyClass, keyId);
    const found: string[] = [];
    for (const { name } of wrappings) {
      // A flipped bit in an age header looks like a file for somebody else.
      const wrong = await readWhole(options.store, name, options.signal).then(() => undefined, (failure: unknown) => failure);
      if (wrong !== undefined) found.push(findings.thrown(name, wrong));
    }
    if (found.length > 0 || isNotRecipient(byKey, keyClass, keyId, error)) return found;
    return [findings.thrown(wrappings[0]?.name ?? '', error)];
  }

  /** The findings that cost a chunk; none when a good copy is there. */
  private async culprits(chunk: NeededChunk): Promise<string[]> {
    const { catalog, states, packFindings, findings } = this.state;
    const copies = catalog.locations.copies(chunk.class, chunk.id);
    if (copies.some((copy) => states[copy] === copyState.good)) return [];
    if (copies.length === 0) return [this.missingChunk()];
    const found: string[] = [];
    for (const copy of copies) {
      const frame = catalog.locations.frames[catalog.locations.at(copy).frame];
      if (!frame) continue;
      if (states[copy] === copyState.keyMissing) found.push(...await this.keyTrouble(chunk.class === frameClass.data ? 'data' : 'catalog', frame.keyId));
      else found.push(packFindings.get(frame.pack) ?? findings.add(frame.pack, { kind: 'damaged', code: 'chunk-mismatch', detail: `${frame.pack} holds a chunk that does not decode` }));
    }
    return found;
  }

  /** A chunk in no readable pack: the one pack that could not be read, when it is one, else nobody knows. */
  private missingChunk(): string {
    const { catalog, packFindings, findings } = this.state;
    const [only, ...more] = catalog.troubles;
    const known = only && more.length === 0 ? packFindings.get(only.name) : undefined;
    if (known !== undefined) return known;
    const unreachable = catalog.troubles.some(({ error }) => troubleOf(error) === 'unreachable');
    return findings.add('', {
      kind: unreachable ? 'unreachable' : 'missing', code: 'chunk-missing',
      detail: 'Chunks that snapshots need are in none of the packs that could be read: a pack is lost or its directory is',
    });
  }

  private async verifyParts(view: CatalogView, data: DataSection | undefined, canRead: boolean): Promise<void> {
    let last: Buffer | undefined;
    for (const [number, part] of view.parts.entries()) {
      this.state.options.signal?.throwIfAborted();
      const trouble = await this.examine(part, number);
      const clean = trouble.whole.size === 0 && trouble.refs.size === 0 && trouble.records.size === 0;
      if (!clean) await this.name({ part, number, data, canRead }, trouble);
      else if (canRead && this.state.options.level === 3) last = await this.decodePart(part, { number, data }, last);
    }
  }

  /** Level 3: a manifest whose chunks are good must also be sorted and agree with its references. */
  private async decodePart(part: ManifestPart, place: { readonly number: number; readonly data: DataSection | undefined }, after: Buffer | undefined): Promise<Buffer | undefined> {
    try {
      const entries = this.chunks ? await readPart(part, this.chunks, after) : [];
      return entries.at(-1)?.entry.path;
    } catch (error) {
      this.state.options.signal?.throwIfAborted();
      this.loseUnnamed(this.state.findings.thrown(this.snapshot.name, error), part.entries, place);
      return undefined;
    }
  }

  private async examine(part: ManifestPart, number: number): Promise<PartTrouble> {
    const trouble: PartTrouble = { whole: new Set(), refs: new Set(), records: new Map() };
    const blame = (chunk: NeededChunk, finding: string): void => {
      if (chunk.role === 'manifest') trouble.whole.add(finding);
      else if (chunk.record === undefined) trouble.refs.add(finding);
      else trouble.records.set(chunk.record, (trouble.records.get(chunk.record) ?? new Set()).add(finding));
    };
    if (!this.chunks) return trouble;
    const onUnreadable = (chunk: NeededChunk, error: unknown): void => {
      this.state.options.signal?.throwIfAborted();
      blame(chunk, this.unreadable(chunk, error));
    };
    const needed = chunksOfPart(part, number, this.chunks, { onUnreadable });
    for await (const chunk of needed) for (const finding of await this.culprits(chunk)) blame(chunk, finding);
    return trouble;
  }

  /** A refs or list chunk that did not come: the pack of its copy is to blame, or the snapshot when it holds nonsense. */
  private unreadable(chunk: NeededChunk, error: unknown): string {
    const { catalog, findings } = this.state;
    const [copy] = catalog.locations.copies(chunk.class, chunk.id);
    if (copy === undefined) return this.missingChunk();
    const frame = catalog.locations.frames[catalog.locations.at(copy).frame];
    const logical = isAppError(error) && error.code === 'refs-damaged';
    return findings.thrown(logical || !frame ? this.snapshot.name : frame.pack, error);
  }

  private entriesOf(part: ManifestPart): Promise<ManifestEntry[] | undefined> | undefined {
    return this.chunks?.read(frameClass.data, part.manifest).then((plain) => decodeManifestChunk(plain), () => undefined);
  }

  private loseUnnamed(finding: string, entries: number, place: { readonly number: number; readonly data: DataSection | undefined }): void {
    const [from, to] = [place.data?.index[place.number], place.data?.index[place.number + 1]];
    const show = (path: Buffer | undefined): string => (path ? `/${printablePath(path)}` : 'its end');
    const where = from ? ` (from ${show(from)} to ${show(to)})` : '';
    this.state.findings.lose(finding, { snapshot: this.id, entries, place: `part ${place.number}, ${counted(entries, 'entry', 'entries')}${where}` });
  }

  /** Turns findings of records into paths, where the manifest can be read. */
  private async name(at: { part: ManifestPart; number: number; data: DataSection | undefined; canRead: boolean }, trouble: PartTrouble): Promise<void> {
    for (const finding of trouble.whole) this.loseUnnamed(finding, at.part.entries, at);
    if (trouble.whole.size > 0) return;
    const entries = at.canRead ? await this.entriesOf(at.part) : undefined;
    if (entries) this.nameEntries(entries, trouble);
    else for (const [finding, count] of countByFinding(at.part, trouble)) this.loseUnnamed(finding, count, at);
  }

  private nameEntries(entries: readonly ManifestEntry[], trouble: PartTrouble): void {
    let record = 0;
    for (const entry of entries) {
      const found = new Set(entry.references > 0 ? trouble.refs : []);
      for (const [number, findings] of trouble.records) if (number >= record && number < record + entry.references) findings.forEach((finding) => found.add(finding));
      record += entry.references;
      for (const finding of found) this.state.findings.lose(finding, { snapshot: this.id, entries: 1, path: `/${printablePath(entry.path)}` });
    }
  }
}
