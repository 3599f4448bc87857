import { isAppError, messageOf } from '#kernel';
import type { DestinationPlaces, FileTicket } from '#sources';
import { isObjectNotFound, type ObjectReader } from '#storage';
import { damaged } from '../format/damage.ts';
import type { Key } from '../format/keys.ts';
import { frameClass } from '../format/limits.ts';
import { expandReferences, type Reference } from '../format/refs.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ChunkLocation, ChunkLocations } from './chunk-locations.ts';
import type { ChunkReader } from './chunk-reader.ts';
import { type FetchGroup, planFetches } from './fetch-plan.ts';
import { type RestoreFailure, targetColumns } from './restore-messages.ts';
import type { RestorePool } from './restore-pool.ts';

/** Chunks that are planned together: more mean longer reads, fewer mean less memory. */
const plannedChunks = 16_384;

/** A file on its way. */
interface RunningFile {
  readonly ticket: FileTicket;
  readonly whole: boolean;
  /** Something of it is being fetched, or was. */
  begun: boolean;
  /** Chunks not written yet; one more while its references are being read. */
  left: number;
  error?: unknown;
}

interface Target {
  readonly file: RunningFile;
  readonly id: Buffer;
  readonly position: number;
  readonly length: number;
  readonly copies: readonly ChunkLocation[];
  readonly copy: number;
}

/** What the restorer works with. */
export interface RestorerParts {
  readonly reader: ObjectReader;
  readonly keys: KeyRing;
  readonly locations: ChunkLocations;
  readonly chunks: ChunkReader;
  readonly pool: RestorePool;
  /** Bytes that may be fetched and not yet written. */
  readonly fetchBytes: number;
  readonly signal?: AbortSignal;
  readonly places: DestinationPlaces;
  /** The file is whole, or why it is not. */
  readonly onFile: (ticket: FileTicket, error?: unknown) => void;
  readonly onFetched: (bytes: number) => void;
  readonly onWritten: (bytes: number) => void;
}

/** Fetches, and has written, the contents of files. */
export class ContentRestorer {
  private readonly parts: RestorerParts;
  private planned: Target[] = [];
  private empty: FileTicket[] = [];
  private readonly running = new Set<Promise<void>>();
  private inFlight = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(parts: RestorerParts) {
    this.parts = parts;
  }

  /** Takes a file. Waits while too much is on its way. */
  async add(ticket: FileTicket, references: readonly Reference[]): Promise<void> {
    if (references.length === 0) {
      this.empty.push(ticket);
      if (this.empty.length >= 512) await this.flush();
      return;
    }
    const refusal = this.parts.places.refusal(ticket);
    if (refusal) return this.parts.onFile(ticket, refusal);
    const only = references.length === 1 && references[0]?.kind === 1;
    const file: RunningFile = { ticket, whole: only, begun: false, left: 1 };
    let position = 0;
    try {
      for await (const reference of expandReferences(references, this.parts.chunks.list)) {
        this.plan(file, reference, position);
        position += reference.length;
        if (this.planned.length >= plannedChunks) await this.flush();
      }
    } catch (error) {
      // A target that does not answer is no fault of this file.
      if (!isPermanent(error)) throw error;
      file.error ??= error;
    }
    this.written(file);
  }

  private plan(file: RunningFile, reference: Reference, position: number): void {
    const copies = this.parts.locations.find(frameClass.data, reference.id).filter((copy) => copy.length === reference.length);
    file.left++;
    if (copies.length === 0) {
      file.error ??= damaged('chunk-missing', `No pack holds the chunk ${reference.id.toString('hex')}`);
      this.written(file);
      return;
    }
    this.planned.push({ file, id: Buffer.from(reference.id), position, length: reference.length, copies, copy: 0 });
  }

  private written(file: RunningFile): void {
    file.left--;
    if (file.left > 0) return;
    if (file.whole) this.parts.onFile(file.ticket, file.error);
    else this.track(this.conclude(file));
  }

  private async conclude(file: RunningFile): Promise<void> {
    const failed = file.error !== undefined;
    const [failure] = await this.parts.pool.run({ type: failed ? 'discard' : 'complete', tickets: [file.ticket] });
    this.parts.onFile(file.ticket, file.error ?? (failure && damagedWrite(failure)));
  }

  private track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => this.parts.pool.abort(error)).finally(() => this.running.delete(tracked));
    this.running.add(tracked);
  }

  /** Sends off what is planned. */
  async flush(): Promise<void> {
    const empty = this.empty.splice(0);
    if (empty.length > 0) this.track(this.writeEmpty(empty));
    await this.sendAll(this.planned.splice(0));
  }

  private async sendAll(targets: readonly Target[]): Promise<void> {
    for (const group of planFetches(targets, this.parts.locations.frames)) await this.send(group);
  }

  /** Without those whose file has failed, or will: what was written of it is thrown away. */
  private stillWanted(targets: readonly Target[]): readonly Target[] {
    return targets.filter(({ file }) => {
      // The first bytes of a file in several pieces take some of the room that it needs.
      if (!file.begun) file.error ??= this.parts.places.refusal(file.ticket);
      file.begun = true;
      if (file.error === undefined) return true;
      this.written(file);
      return false;
    });
  }

  private async writeEmpty(tickets: readonly FileTicket[]): Promise<void> {
    const failures = new Map((await this.parts.pool.run({ type: 'empty', tickets })).map((failure) => [failure.at, failure]));
    tickets.forEach((ticket, at) => {
      const failure = failures.get(at);
      this.parts.onFile(ticket, failure && damagedWrite(failure));
    });
  }

  /** Has a group fetched and written as soon as there is room for it. */
  private async send(group: FetchGroup<Target>): Promise<void> {
    const targets = group.frames.flatMap(({ wanted }) => wanted);
    const wanted = this.stillWanted(targets);
    if (wanted.length < targets.length) return this.sendAll(wanted);
    const cost = group.length + group.frames.reduce((sum, { frame }) => sum + frame.plainLength / 4, 0);
    while (this.inFlight > 0 && this.inFlight + cost > this.parts.fetchBytes) {
      await this.parts.pool.guard(new Promise<void>((resolve) => this.waiting.push(resolve)));
    }
    this.parts.signal?.throwIfAborted();
    this.inFlight += cost;
    this.track(this.restore(group).finally(() => {
      this.inFlight -= cost;
      for (const goOn of this.waiting.splice(0)) goOn();
    }));
  }

  private async restore(group: FetchGroup<Target>): Promise<void> {
    const targets = group.frames.flatMap(({ wanted }) => wanted);
    const { keys, missing } = await this.keysOf(group);
    if (missing.size > 0) return this.withoutKeys(group, missing);
    let bytes: Uint8Array;
    try {
      bytes = await this.parts.reader.get(group.pack, group, this.parts.signal ? { signal: this.parts.signal } : {});
    } catch (error) {
      if (!isPermanent(error)) throw error;
      return this.retryOrFail(targets.map((target) => ({ target, error })));
    }
    this.parts.onFetched(bytes.length);
    const failures = await this.decode(group, targets, bytes, keys);
    const failed = new Map(failures.map((failure) => [failure.at, failure]));
    targets.forEach((target, row) => {
      if (failed.has(row)) return;
      this.parts.onWritten(target.length);
      this.written(target.file);
    });
    this.retryOrFail(failures.map((failure) => ({ target: targets[failure.at] as Target, error: damagedWrite(failure), final: !failure.damage })));
  }

  private async keysOf(group: FetchGroup<Target>): Promise<{ readonly keys: readonly Key[]; readonly missing: ReadonlyMap<string, unknown> }> {
    const keys: Key[] = [];
    const missing = new Map<string, unknown>();
    for (const id of new Set(group.frames.map(({ frame }) => frame.keyId))) {
      try {
        keys.push(await this.parts.keys.get('data', id));
      } catch (error) {
        if (!isPermanent(error)) throw error;
        missing.set(id, error);
      }
    }
    return { keys, missing };
  }

  /** Neighbours of a frame whose key cannot be had may be under another key. */
  private withoutKeys(group: FetchGroup<Target>, missing: ReadonlyMap<string, unknown>): void {
    const readable = group.frames.filter(({ frame }) => !missing.has(frame.keyId)).flatMap(({ wanted }) => wanted);
    if (readable.length > 0) this.track(this.sendAll(readable));
    const lost = group.frames.filter(({ frame }) => missing.has(frame.keyId));
    this.retryOrFail(lost.flatMap(({ frame, wanted }) => wanted.map((target) => ({ target, error: missing.get(frame.keyId) }))));
  }

  private decode(group: FetchGroup<Target>, targets: readonly Target[], bytes: Uint8Array, keys: readonly Key[]): Promise<readonly RestoreFailure[]> {
    const own = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
    const tickets = [...new Set(targets.map((target) => target.file.ticket))];
    const indexes = new Map(tickets.map((ticket, index) => [ticket, index]));
    const table = new Float64Array(targets.length * targetColumns);
    const ids = new Uint8Array(targets.length * 32);
    targets.forEach((target, row) => {
      const { offset } = target.copies[target.copy] as ChunkLocation;
      const whole = target.file.whole ? 1 : 0;
      table.set([indexes.get(target.file.ticket) ?? 0, offset, target.length, target.position, whole], row * targetColumns);
      ids.set(target.id, row * 32);
    });
    const frames = group.frames.map(({ frame, wanted }) => ({
      at: frame.offset - group.offset, length: frame.length, class: frame.class, codec: frame.codec, keyId: frame.keyId,
      plainLength: frame.plainLength, targets: wanted.length,
    }));
    const buffer = own.buffer as ArrayBuffer;
    return this.parts.pool.run({ type: 'content', bytes: buffer, frames, targets: table, ids, tickets }, keys, [buffer]);
  }

  /** Another copy of a damaged chunk may be right; without one the file cannot be restored. */
  private retryOrFail(failures: readonly { readonly target: Target; readonly error: unknown; readonly final?: boolean }[]): void {
    const again: Target[] = [];
    for (const { target, error, final } of failures) {
      if (!final && target.copy + 1 < target.copies.length) {
        again.push({ ...target, copy: target.copy + 1 });
        continue;
      }
      if (final) this.parts.places.note(target.file.ticket, error);
      target.file.error ??= error;
      this.written(target.file);
    }
    // In its turn like everything else: many frames may be damaged at once, and memory is for a few.
    if (again.length > 0) this.track(this.sendAll(again));
  }

  /** Waits until every file that was added is written or reported. */
  async finish(): Promise<void> {
    await this.flush();
    while (this.running.size > 0) await this.parts.pool.guard(Promise.all(this.running));
  }
}

/** True for what will not get better by itself: another copy is tried, or the file is given up. */
const isPermanent = (error: unknown): boolean => isObjectNotFound(error) || (isAppError(error) && !error.retryable);

const damagedWrite = (failure: RestoreFailure): Error & { code: string } => Object.assign(new Error(messageOf(failure.detail)), { code: failure.code });
