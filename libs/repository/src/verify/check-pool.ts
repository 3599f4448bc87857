import { Worker } from 'node:worker_threads';
import { threadEntry } from '#kernel';
import { semaphore } from '#storage';
import { checkPack, type PackCheck, type PackCheckResult } from './check-pack.ts';

const ask = (worker: Worker, check: PackCheck): Promise<PackCheckResult> => new Promise((resolve, reject) => {
  const done = (): void => {
    worker.off('message', onMessage);
    worker.off('error', onError);
  };
  const onMessage = (result: PackCheckResult): void => {
    done();
    resolve(result);
  };
  const onError = (error: Error): void => {
    done();
    reject(error);
  };
  worker.on('message', onMessage);
  worker.on('error', onError);
  const { buffer, byteOffset, byteLength } = check.bytes;
  // Bytes that own their memory move; others (a part of Node's pool) are copied.
  const whole = byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
  worker.postMessage(check, whole ? [buffer] : []);
});

/** Threads that check packs; as many checks at a time as there are threads, each holding one pack in memory. */
export class CheckPool {
  private readonly idle: Worker[] = [];
  private readonly workers: Worker[] = [];
  private readonly limited: ReturnType<typeof semaphore>;
  private readonly size: number;

  /** @param size threads, started when they are needed; 0: checks run in this thread. */
  constructor(size: number) {
    this.size = size;
    this.limited = semaphore(Math.max(1, size));
  }

  /** Waits for a place, then fetches and checks: no more packs are in memory than there are threads. */
  check(signal: AbortSignal | undefined, fetch: () => Promise<PackCheck>): Promise<PackCheckResult> {
    return this.limited(signal, async () => {
      const check = await fetch();
      if (this.size === 0) return checkPack(check);
      const worker = this.idle.pop() ?? this.start();
      const result = await ask(worker, check);
      this.idle.push(worker);
      return result;
    });
  }

  private start(): Worker {
    const worker = new Worker(threadEntry('check-worker', import.meta.url));
    this.workers.push(worker);
    return worker;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}
