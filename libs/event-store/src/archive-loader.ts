import { type AggregateRange, type Sql, readAggregates } from './archive.ts';
import type { StoredEvent } from './codec.ts';

interface Waiting {
  readonly range: AggregateRange;
  readonly resolve: (events: StoredEvent[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads the archived events of an aggregate after a sequence. */
export type ArchiveLoader = (range: AggregateRange) => Promise<StoredEvent[]>;

const most = 256;
const statements = 4;

/**
 * A loader that reads for everybody who asks at the same time with one statement: under load a few large statements run instead of
 * thousands of small ones, and alone a read waits for nobody.
 */
export const archiveLoader = (sql: Sql): ArchiveLoader => {
  let waiting: Waiting[] = [];
  let running = 0;
  const run = async (): Promise<void> => {
    const now = waiting.slice(0, most);
    waiting = waiting.slice(most);
    running++;
    try {
      const found = await readAggregates(sql, now.map((one) => one.range));
      now.forEach((one, index) => one.resolve(found[index] ?? []));
    } catch (error) {
      now.forEach((one) => one.reject(error));
    } finally {
      running--;
      if (waiting.length > 0) void run();
    }
  };
  return (range) => new Promise((resolve, reject) => {
    waiting.push({ range, resolve, reject });
    // The microtask lets everybody who asks in this turn join.
    if (waiting.length === 1 && running < statements) queueMicrotask(() => { if (waiting.length > 0 && running < statements) void run(); });
  });
};
