import { Worker } from 'node:worker_threads';
import { fault, messageOf, threadEntry } from '#kernel';
import { threadLimits } from './thread-limits.ts';
import { FirstFailure } from '../first-failure.ts';
import type { ChunkClass } from '../format/limits.ts';
import type { ContentWorkerData, FileOutcome, FilesJob, FromContentWorker, PackMessage, ToContentWorker } from './content-messages.ts';

/** Jobs of files that a worker may have waiting: one to work on and one so that it never waits. */
const jobsAhead = 2;
/** Pieces of a stream that may be on their way. */
const piecesAhead = 4;

/** What the pool tells its owner. */
export interface ContentPoolEvents {
  readonly onFiles: (outcomes: readonly FileOutcome[]) => void;
  /** Stores the pack; the buffer is given back to the worker when it resolves. */
  readonly onPack: (worker: number, pack: PackMessage) => Promise<void>;
}

interface Member {
  readonly worker: Worker;
  jobs: number;
  pieces: number;
  readonly chunks: Map<number, (id: Buffer) => void>;
  finished?: () => void;
}

/** Threads that read and pack, started when there is work for them. Everything rejects once one of them or a store has failed. */
export class ContentPool {
  private readonly members: Member[] = [];
  private readonly storing = new Set<Promise<void>>();
  private readonly failure = new FirstFailure();
  private readonly makeData: (index: number) => ContentWorkerData;
  private readonly size: number;
  private readonly readers: number;
  private readonly events: ContentPoolEvents;
  private waiting: (() => void)[] = [];
  private ticket = 0;

  constructor(size: { workers: number; readers: number }, makeData: (index: number) => ContentWorkerData, events: ContentPoolEvents) {
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
      workerData: this.makeData(index), resourceLimits: threadLimits,
    });
    const member: Member = { worker, jobs: 0, pieces: 0, chunks: new Map() };
    worker.on('message', (message: FromContentWorker) => this.receive(index, member, message));
    worker.on('error', (error) => this.failure.fail(fault('internal', 'content-worker-failed', 'A worker thread failed', { cause: error, internal: messageOf(error) })));
    this.members.push(member);
    return member;
  }

  private receive(index: number, member: Member, message: FromContentWorker): void {
    switch (message.type) {
      case 'files':
        member.jobs--;
        this.events.onFiles(message.outcomes);
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

  /** Hands files to a worker that has room, waiting for one. */
  async readFiles(job: FilesJob): Promise<void> {
    const transfer = [job.paths.buffer as ArrayBuffer, job.facts.buffer as ArrayBuffer];
    const member = await this.freeReader();
    member.jobs++;
    this.post(member, job, transfer);
  }

  private async freeReader(): Promise<Member> {
    for (;;) {
      const readers = this.members.slice(0, this.readers);
      const idle = readers.find((member) => member.jobs === 0);
      if (idle) return idle;
      if (this.members.length < this.readers) return this.start();
      const free = readers.find((member) => member.jobs < jobsAhead);
      if (free) return free;
      await this.change();
    }
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
    const member = await this.freeReader();
    await this.until(() => member.jobs === 0);
    member.jobs++;
    let length = 0;
    for await (const piece of content) {
      await this.until(() => member.pieces < piecesAhead);
      member.pieces++;
      length += piece.length;
      this.post(member, { type: 'stream', slot, piece });
    }
    this.post(member, { type: 'stream', slot });
    await this.until(() => member.jobs === 0);
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
