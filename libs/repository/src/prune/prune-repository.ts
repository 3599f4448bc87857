import { fault, hasCode } from '#kernel';
import { isObjectNotFound } from '#storage';
import { listObjects, type NamedObject, type ObjectListing } from '../catalog/list-objects.ts';
import { addPacks, type CataloguedPack, PackCatalog, requireReachable } from '../catalog/pack-catalog.ts';
import { isDamage } from '../format/damage.ts';
import { type ListedSnapshot, listSnapshots } from '../snapshots/list-snapshots.ts';
import { FrameCopier, type WrittenPack } from './copy-frames.ts';
import { type Mark, markLive } from './mark.ts';
import { condemnedIds, type Planned, planSweep } from './plan.ts';
import type { PruneNumbers, PruneOptions, PruneResult } from './prune-options.ts';

/** What a writer left half-written is given up after so many milliseconds. */
const leftoverMs = 86_400_000;
/** A key that nothing is under may be that of a writer that has stored no pack yet; after so many milliseconds it is nobody's. */
const unusedKeyMs = 7 * 86_400_000;

const defaults = { minDead: 0.1, packBytes: 32 * 1024 * 1024 };

const keysOfSnapshot = ({ header }: ListedSnapshot): string[] => [header.dataKey, header.catalogKey];

class Prune {
  private readonly options: PruneOptions;
  private readonly catalog = new PackCatalog();
  private readonly notes: string[] = [];
  private listing: ObjectListing | undefined;
  private snapshots: readonly ListedSnapshot[] = [];
  private kept: ReadonlySet<string> = new Set();
  /** Names of the snapshots that were there at the first look: only these may go. */
  private seen: ReadonlySet<string> = new Set();
  /** Ids of the keys that were there at the first look. */
  private seenKeys: ReadonlySet<string> = new Set();
  private considered: readonly CataloguedPack[] = [];

  constructor(options: PruneOptions) {
    this.options = options;
  }

  private get call() {
    return this.options.signal ? { signal: this.options.signal } : {};
  }

  async run(): Promise<PruneResult> {
    const first = await this.look();
    const planned = this.plan(await this.mark());
    if (this.options.dryRun) return this.result(planned, { newPacks: [], removedKeys: 0 });
    const condemned = condemnedIds(this.catalog, planned);
    await this.options.hooks?.marked?.(condemned, this.numbers(planned));
    const again = this.options.hooks?.marked ? await this.markAgain() : planned;
    const { plan, written } = await this.copy(again, first);
    await this.options.hooks?.beforeDelete?.(this.numbers(again));
    const removedKeys = await this.remove(plan, written);
    return this.result(again, { newPacks: written.map(({ name, size }) => ({ name, size })), removedKeys });
  }

  /** The first look: nothing that appears later is ever removed. */
  private async look(): Promise<string> {
    const { store, keep } = this.options;
    this.listing = await listObjects(store, this.call);
    this.seenKeys = new Set(this.attemptKeys().map(({ parsed }) => parsed.id));
    this.snapshots = await this.readSnapshots();
    this.kept = keep(this.snapshots);
    this.seen = new Set(this.snapshots.map((snapshot) => snapshot.name));
    const repositoryId = this.snapshots[0]?.header.repository;
    if (repositoryId === undefined) throw fault('refused', 'prune-nothing', 'There is no snapshot here: nothing to prune');
    await this.readPacks(repositoryId);
    this.considered = [...this.catalog.packs];
    return repositoryId;
  }

  private readSnapshots(): Promise<ListedSnapshot[]> {
    return listSnapshots(this.options.store, (name) => {
      throw fault('refused', 'prune-unsafe', `Nothing was deleted: ${name} is damaged, so nobody knows what it needs; verify the repository`);
    });
  }

  private async readPacks(repositoryId: string): Promise<void> {
    const { store, keys, cache } = this.options;
    const packs = (this.listing?.kinds.pack ?? []).filter((pack) => !this.catalog.pack(pack.name));
    const known = this.catalog.troubles.length;
    await addPacks(this.catalog, { reader: store, keys, repositoryId, ...(cache ? { cache } : {}), ...this.call }, packs);
    requireReachable(this.catalog);
    const [first] = this.catalog.troubles;
    if (first && this.catalog.packs.length === 0 && hasCode(first.error, 'key-not-available')) throw first.error;
    for (const { name } of this.catalog.troubles.slice(known)) this.notes.push(`${name} was left alone: its directory cannot be read`);
  }

  private mark(): Promise<Mark> {
    const staying = this.snapshots.filter(({ name, header }) => !this.seen.has(name) || this.kept.has(header.snapshot));
    return markLive(this.options, this.catalog, staying.map((snapshot) => snapshot.name), this.rank());
  }

  private rank(): (keyId: string) => number {
    const order = new Map<string, number>();
    this.snapshots.forEach(({ header }, i) => {
      order.set(header.dataKey, i);
      order.set(header.catalogKey, i);
    });
    return (keyId) => this.options.attemptOrder?.(keyId) ?? order.get(keyId) ?? Infinity;
  }

  private plan(mark: Mark): Planned {
    return planSweep(this.catalog, this.considered, mark, this.options.minDead ?? defaults.minDead);
  }

  /** After the wait: snapshots that were made meanwhile count, and what they need stays. */
  private async markAgain(): Promise<Planned> {
    this.listing = await listObjects(this.options.store, this.call);
    this.snapshots = await this.readSnapshots();
    await this.readPacks(this.snapshots[0]?.header.repository ?? '');
    return this.plan(await this.mark());
  }

  private async copy({ plan }: Planned, repositoryId: string): Promise<{ plan: { remove: CataloguedPack[] }; written: readonly WrittenPack[] }> {
    const { store, keys, packBytes = defaults.packBytes } = this.options;
    const copier = new FrameCopier(this.catalog, { store, keys, repositoryId, packBytes, ...this.call });
    const remove = [...plan.remove];
    for (const pack of plan.rewrite) {
      this.options.signal?.throwIfAborted();
      try {
        await copier.copy(pack, plan.liveFrames);
        remove.push(pack);
      } catch (error) {
        if (!isDamage(error) && !isObjectNotFound(error)) throw error;
        this.notes.push(`${pack.name} was left alone: it is damaged; verify the repository`);
      }
    }
    await copier.flush();
    return { plan: { remove }, written: copier.written };
  }

  private attemptKeys(): NamedObject[] {
    const { kinds } = this.listing ?? {};
    return [...kinds?.['data-key'] ?? [], ...kinds?.['catalog-key'] ?? []];
  }

  /** Snapshots first, so that none ever refers to what is gone; then packs; then keys that nothing is under any more. */
  private async remove(plan: { readonly remove: readonly CataloguedPack[] }, written: readonly WrittenPack[]): Promise<number> {
    const going = this.snapshots.filter(({ name, header }) => this.seen.has(name) && !this.kept.has(header.snapshot));
    await this.delete(going);
    await this.delete(plan.remove);
    const keys = this.unneededKeys(going, plan.remove, written);
    await this.delete(keys);
    await this.options.store.removeLeftovers?.('', this.options.clock.now() - leftoverMs, this.call);
    return keys.length;
  }

  /** Obeys an abort at once: who aborts a prune lets others write to the repository next. */
  private async delete(objects: readonly { readonly name: string }[]): Promise<void> {
    for (const { name } of objects) {
      this.options.signal?.throwIfAborted();
      await this.options.store.delete(name, this.call);
    }
  }

  /**
   * Keys that nothing which stays is under: those of what was removed, and old ones, of attempts that stored nothing and of what a prune
   * removed that was killed before it came to the keys.
   */
  private unneededKeys(snapshots: readonly ListedSnapshot[], packs: readonly CataloguedPack[], written: readonly WrittenPack[]): NamedObject[] {
    // What an unreadable pack is under is not known.
    if (this.catalog.troubles.length > 0) return [];
    const [removed, gone] = [new Set(snapshots), new Set(packs)];
    const freed = new Set([...snapshots.flatMap(keysOfSnapshot), ...packs.flatMap((pack) => [...this.keysOf(pack)])]);
    const used = new Set([
      ...this.snapshots.filter((snapshot) => !removed.has(snapshot)).flatMap(keysOfSnapshot), ...written.flatMap((pack) => [...pack.keyIds]),
    ]);
    for (const pack of this.catalog.packs) if (!gone.has(pack)) for (const keyId of this.keysOf(pack)) used.add(keyId);
    const [keys, old] = [this.attemptKeys(), this.options.clock.now() - unusedKeyMs];
    const young = new Set(keys.filter(({ modified = Infinity }) => modified > old).map(({ parsed }) => parsed.id));
    const nobodys = (id: string): boolean => this.seenKeys.has(id) && !young.has(id);
    return keys.filter(({ parsed: { id } }) => !used.has(id) && (freed.has(id) || nobodys(id)));
  }

  private keysOf(pack: CataloguedPack): Set<string> {
    return new Set([pack.catalogKeyId, ...this.catalog.locations.frames.slice(pack.frames.from, pack.frames.to).map((frame) => frame.keyId)]);
  }

  private numbers({ numbers }: Planned): PruneNumbers {
    const removed = this.snapshots.filter(({ name, header }) => this.seen.has(name) && !this.kept.has(header.snapshot)).length;
    return { ...numbers, snapshotsKept: this.snapshots.length - removed, snapshotsRemoved: removed };
  }

  private result(planned: Planned, done: Pick<PruneResult, 'newPacks' | 'removedKeys'>): PruneResult {
    const removedSnapshots = this.snapshots.filter(({ name, header }) => this.seen.has(name) && !this.kept.has(header.snapshot)).map(({ header }) => header.snapshot);
    return { ...this.numbers(planned), ...done, removedSnapshots, dryRun: this.options.dryRun ?? false, notes: this.notes };
  }
}

/**
 * Removes the snapshots that are not to be kept and what only they needed: marks, tells, marks again, copies the live frames of
 * partly live packs sealed into new packs, and only then deletes. Needs catalog keys. Killed at any moment it leaves every kept
 * snapshot whole, and the next prune finishes. Throws `prune-unsafe`, having deleted nothing, when something cannot be followed.
 */
export const pruneRepository = (options: PruneOptions): Promise<PruneResult> => new Prune(options).run();
