import { closeSync, unlinkSync } from 'node:fs';
import { fault, systemClock } from '#kernel';
import { compareManifestPaths } from '../path-order.ts';
import { isPrivileged } from '../privileged.ts';
import type { FileTicket, Placement, RestoreEntry, RestoreOptions, RestoreSummary, RestoreWriter } from '../restore.port.ts';
import type { EntryType } from '../source.port.ts';
import { Cleaner } from './cleaner.ts';
import type { Decision } from './decide.ts';
import { openDestination } from './destination.ts';
import { ClosedPlaces, hostile, restoreFault } from './destination-trouble.ts';
import { isFactsIncomplete } from './facts.ts';
import { type PendingFacts, applyPending } from './finisher.ts';
import { HardLinks } from './hard-links.ts';
import { Placer } from './placer.ts';
import { type SafePath, belowBase, joinPath, safePath } from './safe-path.ts';
import { SafeTree } from './safe-tree.ts';
import { Stage } from './stage.ts';

/**
 * Opens (and unless `dryRun` makes) the destination and returns the writer of a restore into it. Throws `restore-destination-invalid`
 * when it cannot be a directory, `restore-destination-full`, `-read-only` or `-denied` when it cannot be made for these reasons, and
 * `restore-unsupported` where the system has no `/proc/self/fd`.
 */
export const restoreWriter = (options: RestoreOptions): RestoreWriter => new TreeWriter(options);

const skipped: Placement = { action: 'skipped' };
const placed: Placement = { action: 'placed' };
const refused: Placement = { action: 'refused' };

class TreeWriter implements RestoreWriter {
  readonly rootFd: number;
  private readonly options: RestoreOptions;
  private readonly tree: SafeTree;
  private readonly stage: Stage;
  private readonly placer: Placer;
  readonly places: ClosedPlaces;
  private readonly links = new HardLinks();
  private readonly cleaner: Cleaner | undefined;
  private readonly pending: PendingFacts[] = [];
  private readonly unsettled = new Map<number, FileTicket>();
  private readonly sources = new Map<number, Buffer>();
  private readonly notes = new Set<string>();
  private readonly base: string;
  private readonly ownership: boolean;
  private readonly created: Partial<Record<EntryType, number>> = {};
  private readonly counts = { entries: 0, skipped: 0, adopted: 0, faults: 0, bytes: 0, tickets: 0 };
  private last: Buffer | undefined;

  constructor(options: RestoreOptions) {
    this.options = options;
    this.base = options.base?.toString('latin1').replace(/^\/+|\/+$/g, '') ?? '';
    this.ownership = options.ownership ?? process.getuid?.() === 0;
    this.rootFd = openDestination(options);
    this.tree = new SafeTree(this.rootFd);
    this.stage = new Stage(this.tree, options.clock ?? systemClock);
    this.places = new ClosedPlaces(this.tree);
    this.placer = new Placer({
      tree: this.tree, mode: options.mode, dryRun: options.dryRun ?? false, ownership: this.ownership, stage: this.stage,
    });
    const report = (path: Buffer, error: unknown): void => this.report(path, error);
    if (options.deleteExtraneous) {
      this.cleaner = new Cleaner(this.tree, this.placer, options.deleteExtraneous, { toSource: (path) => this.toSource(path), report });
    }
  }

  async place(entries: readonly RestoreEntry[]): Promise<readonly Placement[]> {
    const placements: Placement[] = [];
    for (const entry of entries) {
      this.counts.entries++;
      try {
        const placement = this.placeOne(entry);
        // Only what a program has to make is waited for.
        placements.push(placement instanceof Promise ? await placement : placement);
      } catch (error) {
        this.report(entry.path, error);
        placements.push(refused);
      }
    }
    return placements;
  }

  settle(ticket: FileTicket, error?: unknown): void {
    const source = this.sources.get(ticket.id);
    if (!this.unsettled.delete(ticket.id) || !source) {
      throw fault('internal', 'ticket-unknown', 'A file of this restore was settled twice, or never placed');
    }
    this.sources.delete(ticket.id);
    if (error !== undefined) this.report(source, error);
    if (error === undefined || isFactsIncomplete(error)) {
      this.count('file');
      this.counts.bytes += ticket.size;
      return;
    }
    this.places.note(ticket, error);
    this.links.failed(ticket);
    this.removeStaged(ticket);
  }

  async finish(manifestComplete = true): Promise<RestoreSummary> {
    if (this.unsettled.size > 0) throw fault('internal', 'tickets-unsettled', 'A restore cannot finish before each of its files is settled');
    const failed = (path: Buffer, error: unknown): void => this.report(path, error);
    const dryRun = this.options.dryRun ?? false;
    const hardLinks = dryRun ? this.links.count : this.links.make(this.tree, this.placer, failed);
    const deleted = this.clean(dryRun, manifestComplete);
    if (!dryRun) {
      const note = (code: string, detail: string): void => this.note(code, detail);
      const left = this.stage.removeLeftovers(this.placer.directories);
      if (left > 0) note('leftovers-removed', `${left} unfinished files of a restore that was killed were removed`);
      await applyPending(this.pending, { rootFd: this.rootFd, tree: this.tree, ownership: this.ownership, failed, note });
    }
    this.close();
    const { entries, skipped: left, adopted, faults, bytes } = this.counts;
    return { entries, created: this.created, hardLinks, skipped: left, adopted, deleted, faults, bytes };
  }

  abandon(): void {
    for (const ticket of this.unsettled.values()) this.removeStaged(ticket);
    this.unsettled.clear();
    this.close();
  }

  /** After a fault nothing is removed: what seems to be too much may be what could not be understood. */
  private clean(dryRun: boolean, manifestComplete: boolean): number {
    if (!this.cleaner) return 0;
    if (manifestComplete && this.counts.faults === 0) return this.cleaner.finish(dryRun);
    this.note('nothing-deleted', 'Extraneous entries were left in place, because parts of the snapshot could not be restored');
    return 0;
  }

  private placeOne(entry: RestoreEntry): Placement | Promise<Placement> {
    const at = belowBase(this.base, this.accepted(entry));
    if (!at) return this.skip();
    if (at.path === '') return this.placeBase(entry, at);
    this.placer.prepare(at.directory);
    this.cleaner?.seen(at);
    this.stage.keep(at.path, at.name);
    if (entry.type === 'socket') return this.skipSocket();
    this.noteOwner(entry);
    const decision = this.placer.decide(entry, at);
    if (decision === 'blocked') throw new Error('a directory is in the way');
    if (entry.type === 'directory') return this.placeDirectory(entry, at, decision);
    if (decision === 'keep') return this.keep(entry, at);
    if (entry.type === 'symlink') return this.placeSymlink(entry, at);
    return entry.type === 'file' || entry.type === 'stream' ? this.placeFile(entry, at, decision) : this.placeSpecial(entry, at);
  }

  /** The path of an entry that may be restored; throws for one that may not. */
  private accepted(entry: RestoreEntry): string {
    const whole = safePath(entry.path);
    if (typeof whole === 'string') throw hostile(whole);
    if (this.last && compareManifestPaths(this.last, entry.path) >= 0) throw hostile('it is out of order or comes twice');
    this.last = Buffer.from(entry.path);
    return whole.path;
  }

  /** What stays may still be what further names are linked to. */
  private keep(entry: RestoreEntry, at: SafePath): Placement {
    if (entry.type === 'file' && !this.links.firstOf(entry)) this.links.begin(entry, at);
    return this.skip();
  }

  private placeSymlink(entry: RestoreEntry, at: SafePath): Placement {
    if (!this.options.dryRun) this.placer.makeSymlink(entry, at);
    if (entry.xattrs?.length) this.pend(entry, at);
    this.count('symlink');
    return placed;
  }

  private async placeSpecial(entry: RestoreEntry, at: SafePath): Promise<Placement> {
    const { type } = entry;
    if (type !== 'fifo' && type !== 'block' && type !== 'char') throw hostile(`its type "${String(type)}" is unknown`);
    if (!this.options.dryRun) await this.placer.makeSpecial(entry, at, type);
    this.pend(entry, at);
    this.count(type);
    return placed;
  }

  private placeFile(entry: RestoreEntry, at: SafePath, decision: Decision): Placement {
    const first = this.links.firstOf(entry);
    if (first) {
      this.links.add(first, at, entry.path, decision);
      return placed;
    }
    if (!Number.isSafeInteger(entry.size) || entry.size < 0) throw hostile('its size is not a number of bytes');
    if (this.options.dryRun) {
      this.links.begin(entry, at);
      this.count('file');
      this.counts.bytes += entry.size;
      return placed;
    }
    const ticket = this.newTicket(entry, at);
    this.links.begin(entry, at, ticket);
    if (ticket.modeLater) this.pend(entry, at);
    this.unsettled.set(ticket.id, ticket);
    this.sources.set(ticket.id, Buffer.from(entry.path));
    return { action: 'write', ticket };
  }

  private newTicket(entry: RestoreEntry, at: SafePath): FileTicket {
    return {
      id: ++this.counts.tickets,
      directory: at.directory,
      name: at.name,
      stagedAs: this.placer.stagedName(at),
      size: entry.size,
      mode: entry.mode & 0o7777,
      ...(this.ownership ? { owner: { uid: entry.uid, gid: entry.gid } } : undefined),
      mtimeNs: entry.mtimeNs,
      modeLater: (entry.xattrs?.length ?? 0) > 0,
    };
  }

  private placeDirectory(entry: RestoreEntry, at: SafePath, decision: Decision): Placement {
    this.placer.makeDirectory(at, decision);
    if (decision === 'keep') return this.skip();
    this.pend(entry, at);
    if (decision === 'adopt') return this.skip(1);
    this.count('directory');
    return placed;
  }

  /** The entry that becomes the destination itself gives it its facts. */
  private placeBase(entry: RestoreEntry, at: SafePath): Placement {
    if (entry.type !== 'directory') throw new Error('what becomes the destination is not a directory');
    if (this.options.mode !== 'never') this.pend(entry, at);
    return this.skip(1);
  }

  private pend(entry: RestoreEntry, at: SafePath): void {
    const { type, mode, uid, gid, mtimeNs } = entry;
    const xattrs = this.settable(entry);
    this.pending.push({ at, source: Buffer.from(entry.path), entry: { type, mode: mode & 0o7777, uid, gid, mtimeNs, ...(xattrs ? { xattrs } : undefined) } });
  }

  /** Attributes that only root may set are not tried by others, as owners are not. */
  private settable({ xattrs }: RestoreEntry): RestoreEntry['xattrs'] {
    if (!xattrs || process.getuid?.() === 0 || !xattrs.some(isPrivileged)) return xattrs;
    this.note('privileged-xattrs-skipped', 'Attributes in "security." and "trusted." are restored by root only');
    return xattrs.filter((one) => !isPrivileged(one));
  }

  /** A user without rights keeps what they restore: said once, where the owner was another one. */
  private noteOwner({ uid, gid }: RestoreEntry): void {
    if (this.ownership || this.options.ownership === false || (uid === process.getuid?.() && gid === process.getgid?.())) return;
    this.note('owners-skipped', 'Owners and groups are restored by root only; what was restored belongs to whoever restored it');
  }

  private toSource(path: string): Buffer {
    return Buffer.from(path === '' ? this.base : joinPath(this.base, path), 'latin1');
  }

  private skip(adopted = 0): Placement {
    this.counts.skipped++;
    this.counts.adopted += adopted;
    return skipped;
  }

  private skipSocket(): Placement {
    this.note('sockets-skipped', 'Sockets are not made: the program that listens makes its own');
    return this.skip();
  }

  private count(type: EntryType): void {
    this.created[type] = (this.created[type] ?? 0) + 1;
  }

  private removeStaged(ticket: FileTicket): void {
    try {
      unlinkSync(this.tree.at(ticket.directory, ticket.stagedAs));
    } catch {
      // Never made, or removed by the content writer already.
    }
  }

  private report(path: Buffer, error: unknown): void {
    this.counts.faults++;
    this.options.onFault(restoreFault(path, error));
  }

  private note(code: string, detail: string): void {
    if (this.notes.has(code)) return;
    this.notes.add(code);
    this.options.onNote?.(code, detail);
  }

  private close(): void {
    this.tree.close();
    closeSync(this.rootFd);
  }
}
