import type { LogWriter, Write, WriteOutcome } from './log-writer.ts';
import { semaphore } from './semaphore.ts';

/** Messages of one group: enough to share a batch's cost among many, few enough for one transaction of the follower. */
const mostMessages = 256;
/** Bytes of one group's events. */
const mostBytes = 1 << 20;
/** Appends of one message each that are worth a batch: nats-server stages it in files, which costs as much as that many messages. */
const worthABatch = 8;
/** Batches of a group that has to be written one by one; fewer than the server allows in flight for a stream (50), shared by the masters. */
const batchesInFlight = 16;

interface Waiting {
  readonly writes: readonly [Write, ...Write[]];
  readonly bytes: number;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

const bytesOf = (writes: readonly Write[]): number => writes.reduce((sum, { event }) => sum + event.data.length, 0);

/** Takes the first of those that wait and what may go with it: no subject twice, since each append expects the state before the group. */
const takeGroup = (waiting: Waiting[]): Waiting[] => {
  const subjects = new Set<string>();
  let [messages, bytes, count] = [0, 0, 0];
  for (const one of waiting) {
    [messages, bytes] = [messages + one.writes.length, bytes + one.bytes];
    const own = new Set(one.writes.map(({ event }) => event.subject));
    if (count > 0 && (messages > mostMessages || bytes > mostBytes || !own.isDisjointFrom(subjects))) break;
    for (const subject of own) subjects.add(subject);
    count++;
  }
  return waiting.splice(0, count);
};

/** What became of each: the messages of a batch are contiguous, and the answer names the last of them. */
const settleStored = (group: readonly Waiting[], last: number): void => {
  let sequence = last - group.reduce((sum, { writes }) => sum + writes.length, 0);
  for (const { writes, resolve } of group) resolve({ status: 'stored', sequence: (sequence += writes.length) });
};

/**
 * A writer that has one thing on its way at a time and sends what came meanwhile together, as one atomic batch: under load many
 * appends share one fsync and one staging. Each append still holds whole or not at all, and on its own: when the group is refused,
 * because an expectation of one of them does not hold, each is written alone. Who comes alone waits for nothing.
 */
export const groupCommit = (write: LogWriter): LogWriter => {
  const waiting: Waiting[] = [];
  const places = semaphore(batchesInFlight);
  let busy = false;
  const alone = ({ writes, resolve, reject }: Waiting): Promise<void> => places(() => write(writes)).then(resolve, reject);
  const together = async (group: readonly Waiting[]): Promise<void> => {
    const [first, ...rest] = group.flatMap(({ writes }) => writes);
    // What no retry cures is the fault of one of them: the others must not suffer for it.
    const outcome = first && await write([first, ...rest]).catch(() => undefined);
    if (outcome?.status === 'stored') return settleStored(group, outcome.sequence);
    if (outcome?.status === 'busy' || outcome?.status === 'unknown') return group.forEach(({ resolve }) => resolve(outcome));
    await Promise.all(group.map(alone));
  };
  const drain = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const group = takeGroup(waiting);
      const few = group.length === 1 || (group.length < worthABatch && group.every(({ writes }) => writes.length === 1));
      await (few ? Promise.all(group.map(alone)) : together(group));
    }
    busy = false;
  };
  return (writes) => new Promise((resolve, reject) => {
    waiting.push({ writes, bytes: bytesOf(writes), resolve, reject });
    if (!busy) void drain();
  });
};
