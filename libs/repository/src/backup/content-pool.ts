import { Worker } from 'node:worker_threads';
import { fault, messageOf, threadEntry } from '#kernel';
import { threadLimits } from './thread-limits.ts';
import { decodeOutcomes, type FileOutcome } from './file-outcomes.ts';
import { FirstFailure } from '../first-failure.ts';
import type { ChunkClass } from '../format/limits.ts';
import type { ContentWorkerData, FilesJob, FromContentWorker, PackMessage, ToContentWorker } from './content-messages.ts';

/** Jobs of files that may wait: what keeps the threads busy while the walk goes through a few thousand entries and lets nothing else happen. */
const jobsAhead = 64;
/** Pieces of a stream that may be on their way. */
const piecesAhead = 4;

/** Files to read: see `FilesJob`. */
export type FilesToRead = Omit<FilesJob, 'type' | 'number'>;

/** What the pool tells its owner. */
export interface ContentPoolEvents {
  readonly onFiles: (outcomes: Iterable<FileOutcome>) => void;
  /** Stores the pack; the buffer is given back to the worker when it resolves. */
  readonly onPack: (worker: number, pack: PackMessage) => Promise<void>;
}

interface Member {
  readonly worker: Worker;
  pieces: number;
  readonly chunks: Map<number, (id: Buffer) => void>;
  finished?: () => void;
}

/** Threads that read and pack, started when there is work for them. Everything rejects once one of them or a store has failed. */
export class ContentPool {
  private readonly members: Member[] = [];
  private readonly storing = new Set<Promise<void>>();
  private readonly failure = new FirstFailure();
  /** Jobs of files without an outcome, by their numbers. */
  private readonly jobs = new Map<number, FilesJob>();
  private readonly nextFiles = new SharedArrayBuffer(4);
  private readonly makeData: (index: number) => Omit<ContentWorkerData, 'nextFiles'>;
  private readonly size: number;
  private readonly readers: number;
  private readonly events: ContentPoolEvents;
  private waiting: (() => void)[] = [];
  private ticket = 0;
  private number = 0;
  private streaming = false;

  constructor(size: { workers: number; readers: number }, makeData: (index: number) => Omit<ContentWorkerData, 'nextFiles'>, events: ContentPoolEvents) {
    this.size = size.workers;
    this.readers = Math.min(size.workers, size.readers);
    this.makeData = makeData;
    this.events = events;
  }

  /** Threads that have been started so far. */
  get started(): number {
    return this.members.length;
  }

  /** Ends everything at once with this error. */
  abort(error: unknown): void {
    this.failure.fail(error);
  }

  /** Resolves with `work`, or rejects as soon as the pool has failed. */
  guard<T>(work: Promise<T>): Promise<T> {
    return this.failure.guard(work);
  }

  private start(): Member {
    const index = this.members.length;
    const worker = new Worker(threadEntry('content-worker', import.meta.url), {
      workerData: { ...this.makeData(index), nextFiles: this.nextFiles }, resourceLimits: threadLimits,
    });
    const member: Member = { worker, pieces: 0, chunks: new Map() };
    worker.on('message', (message: FromContentWorker) => this.receive(index, member, message));
    worker.on('error', (error) => this.failure.fail(fault('internal', 'content-worker-failed', 'A worker thread failed', { cause: error, internal: messageOf(error) })));
    this.members.push(member);
    if (index < this.readers) for (const job of this.jobs.values()) this.post(member, job);
    return member;
  }

  private receive(index: number, member: Member, message: FromContentWorker): void {
    switch (message.type) {
      case 'files':
        this.jobs.delete(message.number);
        this.events.onFiles(decodeOutcomes(message.outcomes));
        return this.wake();
      case 'streamed':
        this.streaming = false;
        this.events.onFiles([message.outcome]);
        return this.wake();
      case 'chunk':
        member.chunks.get(message.ticket)?.(Buffer.from(message.id));
        member.chunks.delete(message.ticket);
        return this.wake();
      case 'stream':
        member.pieces--;
        return this.wake();
      case 'pack': return this.store(index, member, message);
      case 'finished': return member.finished?.();
    }
  }

  private store(index: number, member: Member, pack: PackMessage): void {
    const storing = this.events.onPack(index, pack).then(
      () => this.post(member, { type: 'buffer', buffer: pack.buffer }, [pack.buffer]),
      (error: unknown) => this.failure.fail(error),
    ).finally(() => this.storing.delete(storing));
    this.storing.add(storing);
  }

  private post(member: Member, message: ToContentWorker, transfer: ArrayBuffer[] = []): void {
    member.worker.postMessage(message, transfer);
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when something has come back from a worker. */
  private change(): Promise<void> {
    return this.guard(new Promise((resolve) => this.waiting.push(resolve)));
  }

  /** Waits until `ready` holds; looks again whenever something has come back. */
  async until(ready: () => boolean): Promise<void> {
    while (!ready()) await this.change();
  }

  /** Hands files to the readers, waiting while many are on their way. There is a reader more as long as those that there are do not keep up. */
  async readFiles(files: FilesToRead): Promise<void> {
    await this.until(() => this.jobs.size < jobsAhead);
    const job: FilesJob = { type: 'files', number: this.number++, ...files };
    for (const member of this.members.slice(0, this.readers)) this.post(member, job);
    this.jobs.set(job.number, job);
    if (this.members.length < Math.min(this.readers, this.jobs.size)) this.start();
  }

  /** Hands over a chunk made here, waiting while many are on their way; `id` resolves when it is named. */
  async chunk(chunkClass: ChunkClass, plain: Uint8Array): Promise<{ readonly id: Promise<Buffer> }> {
    const member = this.members[this.size - 1] ?? this.members[0] ?? this.start();
    await this.until(() => member.chunks.size < 8);
    const ticket = this.ticket++;
    const done = new Promise<Buffer>((resolve) => member.chunks.set(ticket, resolve));
    this.post(member, { type: 'chunk', ticket, class: chunkClass, plain });
    const id = this.guard(done);
    id.catch(() => undefined);
    return { id };
  }

  /** Feeds content that is not in a file to one worker; resolves with its length when all of it is handed over. */
  async stream(slot: number, content: AsyncIterable<Uint8Array>): Promise<number> {
    await this.until(() => this.jobs.size === 0);
    const member = this.members[0] ?? this.start();
    this.streaming = true;
    let length = 0;
    for await (const piece of content) {
      await this.until(() => member.pieces < piecesAhead);
      member.pieces++;
      length += piece.length;
      this.post(member, { type: 'stream', slot, piece });
    }
    this.post(member, { type: 'stream', slot });
    await this.until(() => !this.streaming);
    return length;
  }

  /** Seals and stores everything that is left. */
  async finish(): Promise<void> {
    await Promise.all(this.members.map((member) => this.guard(new Promise<void>((resolve) => {
      member.finished = resolve;
      this.post(member, { type: 'finish' });
    }))));
    await this.guard(Promise.all(this.storing));
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.worker.terminate()));
  }
}
