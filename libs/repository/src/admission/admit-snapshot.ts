import { createHash } from 'node:crypto';
import type { WrappedKey } from '#contracts';
import { isAppError } from '#kernel';
import type { ObjectInfo } from '#storage';
import { addPacks, type CataloguedPack, PackCatalog, requireReachable, troubleOf } from '../catalog/pack-catalog.ts';
import { type CatalogView, chunksOf, type NeededChunk, readCatalogView } from '../catalog/snapshot-closure.ts';
import { deriveSubkeys } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import { hashOfName, objectNames, objectPrefixes, parseObjectName } from '../format/names.ts';
import { checkSnapshotMac, parseSnapshot, type SealedSnapshot, type SnapshotHeader } from '../format/snapshot.ts';
import { ChunkReader } from '../restore/chunk-reader.ts';
import { readWhole } from '../restore/open-snapshot.ts';
import { includesId, sortedShared } from '../state/sorted-ids.ts';
import type { AdmissionCode, AdmissionCounts, AdmissionOptions, AdmissionVerdict } from './admission-options.ts';

/** A refusal on its way to the verdict; never leaves this file. */
class Refused extends Error {
  readonly code: AdmissionCode;

  constructor(code: AdmissionCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

const nameOfKey = ({ class: keyClass, keyId, file }: WrappedKey): { name: string; size: number } => {
  const bytes = Buffer.from(file, 'base64');
  const hash = createHash('sha256').update(bytes).digest();
  const name = { id: objectNames.idKey, data: objectNames.dataKey, catalog: objectNames.catalogKey }[keyClass];
  return { name: name(keyId, hash), size: bytes.length };
};

class Admission {
  private readonly options: AdmissionOptions;
  private readonly catalog = new PackCatalog();

  constructor(options: AdmissionOptions) {
    this.options = options;
  }

  async check(): Promise<AdmissionVerdict> {
    const sealed = await this.readSnapshot();
    await this.checkObjects(sealed);
    await this.readPacks(sealed);
    this.checkOwnPacks(sealed);
    await this.checkAdoptedPacks();
    const counts = await this.checkClosure(sealed);
    return { admitted: true, header: sealed.header, counts };
  }

  private get call() {
    return this.options.signal ? { signal: this.options.signal } : {};
  }

  private get allPacks(): readonly ObjectInfo[] {
    return [...this.options.proposal.packs, ...(this.options.proposal.adoptedPacks ?? [])];
  }

  private async readSnapshot(): Promise<SealedSnapshot> {
    const { proposal, expected, store, keys } = this.options;
    const parsed = parseObjectName(proposal.object.name);
    if (parsed?.kind !== 'snapshot' || parsed.id !== expected.snapshot || proposal.id !== expected.snapshot) {
      throw new Refused('snapshot-mismatch', 'The proposed object is not the snapshot that the claim named');
    }
    const sealed = parseSnapshot(await readWhole(store, proposal.object.name, this.options.signal));
    const { header } = sealed;
    this.checkHeader(header);
    const idKey = await keys.get('id', header.idKey).catch(() => undefined);
    if (idKey) checkSnapshotMac(sealed, deriveSubkeys(idKey.bytes).snapshot);
    return sealed;
  }

  private checkHeader(header: SnapshotHeader): void {
    const { proposal, expected } = this.options;
    const { repositoryId = header.repository, idKeyId = header.idKey, previous } = expected;
    const said = [header.snapshot, header.repository, header.idKey, header.repository, header.idKey];
    if (said.join() !== [expected.snapshot, proposal.repositoryId, proposal.idKeyId, repositoryId, idKeyId].join()) {
      throw new Refused('snapshot-mismatch', 'The snapshot is of another repository, id key or run than it was asked for');
    }
    if (previous !== undefined && (header.previous ?? null) !== previous) {
      throw new Refused('snapshot-mismatch', 'The snapshot does not follow the one that was admitted last');
    }
  }

  private async requireObject({ name, size }: ObjectInfo): Promise<void> {
    const info = await this.options.store.head(name, this.call);
    if (!info) throw new Refused('object-missing', `The target does not hold ${name}`);
    if (info.size !== size) throw new Refused('object-damaged', `${name} has ${info.size} bytes in the target, not ${size}`);
    if (info.sha256 && !hashOfName(name).equals(info.sha256)) throw new Refused('object-damaged', `The target keeps another hash of ${name}`);
  }

  private async requireWrapping(prefix: string, keyId: string): Promise<void> {
    for await (const _ of this.options.store.list(`${prefix}${keyId}/`, this.call)) return;
    throw new Refused('key-missing', `The target holds no wrapping of the key ${keyId} (${prefix})`);
  }

  private async checkObjects({ header }: SealedSnapshot): Promise<void> {
    const { proposal } = this.options;
    const stranger = this.allPacks.find(({ name }) => parseObjectName(name)?.kind !== 'pack');
    if (stranger) throw new Refused('snapshot-mismatch', `${stranger.name} is not the name of a pack`);
    const objects = [...proposal.keys.map(nameOfKey), ...this.allPacks, proposal.object];
    for (let at = 0; at < objects.length; at += 16) await Promise.all(objects.slice(at, at + 16).map((object) => this.requireObject(object)));
    const wrapped = (keyClass: WrappedKey['class'], keyId: string): boolean => proposal.keys.some((key) => key.class === keyClass && key.keyId === keyId);
    if (!wrapped('data', header.dataKey) || !wrapped('catalog', header.catalogKey)) {
      throw new Refused('key-missing', 'The proposal does not carry the wrapped keys of its own attempt');
    }
    await this.requireWrapping(objectPrefixes.idKeys, header.idKey);
  }

  private async readPacks({ header }: SealedSnapshot): Promise<void> {
    const { store, keys, cache } = this.options;
    const source = { reader: store, keys, repositoryId: header.repository, ...(cache ? { cache } : {}), ...this.call };
    const own = new Set(this.allPacks.map((pack) => pack.name));
    await addPacks(this.catalog, source, this.allPacks);
    requireReachable(this.catalog);
    const [bad] = this.catalog.troubles;
    if (bad) throw new Refused('object-damaged', `The directory of ${bad.name} cannot be opened with the attempt's catalog key`);
    await addPacks(this.catalog, source, (await this.livePacks()).filter(({ name }) => !own.has(name)));
    // What lies elsewhere and cannot be opened is no reason by itself: its chunks just do not count.
    requireReachable(this.catalog);
  }

  private async livePacks(): Promise<readonly ObjectInfo[]> {
    if (this.options.livePacks) return this.options.livePacks;
    const packs: ObjectInfo[] = [];
    for await (const info of this.options.store.list(objectPrefixes.packs, this.call)) packs.push(info);
    return packs;
  }

  private framesOf(pack: CataloguedPack) {
    return this.catalog.locations.frames.slice(pack.frames.from, pack.frames.to);
  }

  /** Every frame of the attempt's packs is under its own keys: else what it wrote could outlive or unlock another attempt's. */
  private checkOwnPacks({ header }: SealedSnapshot): void {
    for (const { name } of this.options.proposal.packs) {
      const pack = this.catalog.pack(name);
      const foreign = pack?.catalogKeyId !== header.catalogKey ||
        this.framesOf(pack).some((frame) => frame.keyId !== (frame.class === frameClass.data ? header.dataKey : header.catalogKey));
      if (foreign) throw new Refused('key-foreign', `${name} holds frames under keys that are not the attempt's own`);
    }
  }

  /** A pack of an interrupted attempt is under one data key and one catalog key, both wrapped in the target. */
  private async checkAdoptedPacks(): Promise<void> {
    for (const { name } of this.options.proposal.adoptedPacks ?? []) {
      const pack = this.catalog.pack(name);
      if (!pack) continue;
      const frames = this.framesOf(pack);
      const dataKeys = new Set(frames.filter((frame) => frame.class === frameClass.data).map((frame) => frame.keyId));
      const mixed = dataKeys.size > 1 || frames.some((frame) => frame.class === frameClass.catalog && frame.keyId !== pack.catalogKeyId);
      if (mixed) throw new Refused('key-foreign', `${name} holds frames under the keys of more than one attempt`);
      for (const keyId of dataKeys) await this.requireWrapping(objectPrefixes.dataKeys, keyId);
    }
  }

  private async checkClosure(sealed: SealedSnapshot): Promise<AdmissionCounts> {
    const { store, keys, condemned, proposal } = this.options;
    const { locations } = this.catalog;
    const chunks = new ChunkReader({ reader: store, keys, repositoryId: sealed.header.repository, locations, ...this.call });
    const view: CatalogView = await readCatalogView(sealed, keys, chunks);
    const sorted = sortedShared(condemned ?? new Uint8Array(0));
    const own = new Set(proposal.packs.map((pack) => pack.name));
    const isOwn = (copy: number): boolean => own.has(locations.frames[locations.at(copy).frame]?.pack ?? '');
    const used = new Uint8Array(locations.size);
    let references = 0;
    for await (const needed of chunksOf(view, chunks)) {
      references++;
      const copies = locations.copies(needed.class, needed.id);
      this.checkReference(needed, copies);
      if (includesId(sorted, needed.id) && !copies.some(isOwn)) throw new Refused('chunk-condemned', `The chunk ${needed.id.toString('hex')} is being pruned; run the backup again`);
      for (const copy of copies) used[copy] = 1;
    }
    return this.countUploaded(used, references);
  }

  private checkReference({ id, length, role }: NeededChunk, copies: readonly number[]): void {
    if (copies.length === 0) throw new Refused('chunk-missing', `No live pack holds the chunk ${id.toString('hex')} (${role})`);
    if (length !== undefined && !copies.some((copy) => this.catalog.locations.at(copy).length === length)) {
      throw new Refused('reference-mismatch', `The chunk ${id.toString('hex')} has another length than the snapshot says`);
    }
  }

  private countUploaded(used: Uint8Array, references: number): AdmissionCounts {
    const { proposal, faultCount } = this.options;
    const counts = { references, uploadedChunks: 0, unreferencedChunks: 0, unreferencedBytes: 0 };
    for (const { name } of proposal.packs) {
      const range = this.catalog.pack(name)?.chunks ?? { from: 0, to: 0 };
      for (let copy = range.from; copy < range.to; copy++) {
        counts.uploadedChunks++;
        if (used[copy]) continue;
        counts.unreferencedChunks++;
        counts.unreferencedBytes += this.catalog.locations.at(copy).length;
      }
    }
    const explained = faultCount > 0 || (proposal.adoptedPacks ?? []).length > 0;
    if (counts.unreferencedChunks > 0 && !explained) {
      throw new Refused('chunk-unreferenced', `${counts.unreferencedChunks} uploaded chunks are in no place of the snapshot, and no fault explains them`);
    }
    return counts;
  }
}

/**
 * The master's check before a snapshot becomes a fact: every object is there with its hash, every frame of the attempt's packs is
 * under its own keys, every chunk that the snapshot needs is in a live pack, every uploaded chunk is needed or explained. Needs
 * catalog keys only. A refusal is final; errors of the target are thrown and may be tried again.
 */
export const admitSnapshot = async (options: AdmissionOptions): Promise<AdmissionVerdict> => {
  try {
    return await new Admission(options).check();
  } catch (error) {
    if (error instanceof Refused) return { admitted: false, code: error.code, detail: error.message };
    options.signal?.throwIfAborted();
    const trouble = troubleOf(error);
    if (trouble === 'unreachable' || !isAppError(error)) throw error;
    const codes: Record<string, AdmissionCode> = { 'chunk-missing': 'chunk-missing', 'key-not-available': 'key-missing', 'object-not-found': 'object-missing' };
    return { admitted: false, code: codes[error.code] ?? 'object-damaged', detail: error.detail };
  }
};
