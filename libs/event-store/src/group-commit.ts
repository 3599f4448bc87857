import { type Clock, calledOff } from '#kernel';
import type { LogWriter, Write, WriteOutcome } from './log-writer.ts';
import { semaphore } from './semaphore.ts';

/** Messages of one group: enough to share a batch's cost among many, few enough for one transaction of the follower. */
const mostMessages = 256;
/** Bytes of one group's events. */
const mostBytes = 1 << 20;
/** Appends of one message each that are worth a batch: nats-server stages it in files, which costs as much as that many messages. */
const worthABatch = 8;
/** After a batch the writer rests this many times as long as it took, and no longer than so many milliseconds: others may join the next. */
const restFactor = 2;
const mostRestMs = 20;
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

/** Not worth a batch: each is written by itself, side by side. */
const areFew = (group: readonly Waiting[]): boolean => group.length < worthABatch && group.every(({ writes }) => writes.length === 1);

/**
 * A writer that has one thing on its way at a time and sends what came meanwhile together, as one atomic batch: under load many
 * appends share one fsync and one staging. Each append still holds whole or not at all, and on its own: when the group is refused,
 * because an expectation of one of them does not hold, each is written alone. Who comes alone, and not right after a batch, waits
 * for nothing.
 */
export const groupCommit = (write: LogWriter, clock: Clock): LogWriter => {
  const waiting: Waiting[] = [];
  const places = semaphore(batchesInFlight);
  let busy = false;
  let resting = new AbortController();
  const alone = ({ writes, resolve, reject }: Waiting): Promise<void> => places(() => write(writes)).then(resolve, reject);
  const together = async (group: readonly Waiting[]): Promise<void> => {
    const [first, ...rest] = group.flatMap(({ writes }) => writes);
    // What no retry cures is the fault of one of them: the others must not suffer for it.
    const outcome = first && await write([first, ...rest]).catch(() => undefined);
    if (outcome?.status === 'stored') return settleStored(group, outcome.sequence);
    if (outcome?.status === 'busy' || outcome?.status === 'unknown') return group.forEach(({ resolve }) => resolve(outcome));
    await Promise.all(group.map(alone));
  };
  /** Until the time has passed, or enough wait. */
  const rest = async (ms: number): Promise<void> => {
    if (ms <= 0 || waiting.length >= worthABatch) return;
    resting = new AbortController();
    await clock.sleep(Math.min(ms, mostRestMs), resting.signal).catch(() => undefined);
  };
  const drain = async (): Promise<void> => {
    busy = true;
    while (waiting.length > 0) {
      const [group, start] = [takeGroup(waiting), clock.monotonic()];
      const few = areFew(group);
      await (few || group.length === 1 ? Promise.all(group.map(alone)) : together(group));
      if (!few) await rest(restFactor * (clock.monotonic() - start));
    }
    busy = false;
  };
  return (writes) => new Promise((resolve, reject) => {
    waiting.push({ writes, bytes: bytesOf(writes), resolve, reject });
    if (!busy) void drain();
    else if (waiting.length >= worthABatch) resting.abort(calledOff);
  });
};
