import { Worker } from 'node:worker_threads';
import { fault, messageOf, threadEntry } from '#kernel';
import { threadLimits } from '../backup/thread-limits.ts';
import { FirstFailure } from '../first-failure.ts';
import type { Key } from '../format/keys.ts';
import type { FromRestoreWorker, RestoreFailure, RestoreWorkerData, ToRestoreWorker } from './restore-messages.ts';

type Job = Extract<ToRestoreWorker, { job: number }>;
/** A job without its number: the pool gives it one. */
export type NewJob = Job extends infer J ? (J extends Job ? Omit<J, 'job'> : never) : never;

interface Member {
  readonly worker: Worker;
  readonly jobs: Map<number, (failures: readonly RestoreFailure[]) => void>;
  readonly keys: Set<string>;
  closed?: () => void;
}

/** Threads that decode and write. Everything rejects once one of them has failed. */
export class RestorePool {
  private readonly members: Member[];
  private readonly failure = new FirstFailure();
  private next = 0;

  constructor(workers: number, data: RestoreWorkerData) {
    this.members = Array.from({ length: workers }, () => this.start(data));
  }

  private start(data: RestoreWorkerData): Member {
    const worker = new Worker(threadEntry('restore-worker', import.meta.url), {
      workerData: data, resourceLimits: threadLimits,
    });
    const member: Member = { worker, jobs: new Map(), keys: new Set() };
    worker.on('message', (message: FromRestoreWorker) => {
      if (message.type === 'closed') return member.closed?.();
      member.jobs.get(message.job)?.(message.failures);
      member.jobs.delete(message.job);
    });
    worker.on('error', (error) => this.failure.fail(fault('internal', 'restore-worker-failed', 'A worker thread failed', { cause: error, internal: messageOf(error) })));
    return member;
  }

  /** Ends everything at once with this error. */
  abort(error: unknown): void {
    this.failure.fail(error);
  }

  /** Resolves with `work`, or rejects as soon as the pool has failed. */
  guard<T>(work: Promise<T>): Promise<T> {
    return this.failure.guard(work);
  }

  /** Has the least busy thread do a job. `keys` are the keys of the frames in it. */
  run(job: NewJob, keys: readonly Key[] = [], transfer: ArrayBuffer[] = []): Promise<readonly RestoreFailure[]> {
    const member = this.members.reduce((least, other) => (other.jobs.size < least.jobs.size ? other : least));
    for (const key of keys) {
      if (member.keys.has(key.id)) continue;
      member.keys.add(key.id);
      member.worker.postMessage({ type: 'key', keyId: key.id, key: key.bytes } satisfies ToRestoreWorker);
    }
    const number = this.next++;
    const done = new Promise<readonly RestoreFailure[]>((resolve) => member.jobs.set(number, resolve));
    member.worker.postMessage({ ...job, job: number }, transfer);
    return this.guard(done);
  }

  /** Has every thread close its files, then ends them. */
  async close(): Promise<void> {
    await this.guard(Promise.all(this.members.map((member) => new Promise<void>((resolve) => {
      member.closed = resolve;
      member.worker.postMessage({ type: 'close' } satisfies ToRestoreWorker);
    }))));
    await this.terminate();
  }

  /** Ends the threads as they are. */
  async terminate(): Promise<void> {
    await Promise.all(this.members.map((member) => member.worker.terminate()));
  }
}
