import { type Logger, messageOf } from '#kernel';
import { AttemptControl } from './attempt-control.ts';
import { type AttemptKey, type EndReason, keyOf } from './attempt.state.ts';

/** Does all the work of one attempt; settles when nothing of it runs any more. */
export type Work = (key: AttemptKey, control: AttemptControl) => Promise<void>;

interface Entry {
  readonly key: AttemptKey;
  readonly control: AttemptControl;
  /** Counts against the slots. */
  inSlot: boolean;
  done: Promise<void> | undefined;
}

/**
 * Runs attempts, as many at once as there are slots and one at a time of each run, in the order offered. Ending one never waits for
 * a slot: a waiting attempt that is ended is worked on at once, as it then has nothing to do but to say so.
 */
export class Scheduler {
  private readonly entries = new Map<string, Entry>();
  private readonly work: Work;
  private readonly logger: Logger;
  private slots: number;
  private draining = false;

  constructor(work: Work, slots: number, logger: Logger) {
    this.work = work;
    this.slots = slots;
    this.logger = logger;
  }

  /** Attempts that occupy a slot now. */
  get running(): number {
    return [...this.entries.values()].filter((entry) => entry.inSlot).length;
  }

  /** Slots in all. */
  get capacity(): number {
    return this.slots;
  }

  /** Changes the number of slots; running attempts are not ended when it shrinks. */
  resize(slots: number): void {
    this.slots = slots;
    this.pump();
  }

  /** Queues an attempt; one that is queued or running already changes nothing. */
  offer(key: AttemptKey): void {
    if (this.draining || this.entries.has(keyOf(key))) return;
    this.entries.set(keyOf(key), { key, control: new AttemptControl(), inSlot: false, done: undefined });
    this.pump();
  }

  /** Ends an attempt, queued or running; resolves when nothing of it runs any more. */
  async end(key: AttemptKey, reason: EndReason): Promise<void> {
    const entry = this.entries.get(keyOf(key));
    if (!entry) return;
    entry.control.end(reason);
    if (!entry.done && !this.runOfOthers(entry)) this.start(entry, false);
    await entry.done;
  }

  /** Takes no more, ends everything so that it can be resumed by the next process, and waits for it. */
  async drain(): Promise<void> {
    this.draining = true;
    const running: Promise<void>[] = [];
    for (const { control, done } of this.entries.values()) {
      if (done === undefined) continue;
      control.end('shutdown');
      running.push(done);
    }
    await Promise.all(running);
    this.entries.clear();
  }

  private runOfOthers(entry: Entry): boolean {
    return [...this.entries.values()].some((other) => other !== entry && other.done && other.key.run === entry.key.run);
  }

  private pump(): void {
    if (this.draining) return;
    for (const entry of this.entries.values()) {
      if (entry.done || this.runOfOthers(entry)) continue;
      const ended = entry.control.signal.aborted;
      if (!ended && this.running >= this.slots) continue;
      this.start(entry, !ended);
    }
  }

  private start(entry: Entry, inSlot: boolean): void {
    entry.inSlot = inSlot;
    entry.done = this.work(entry.key, entry.control)
      .catch((error: unknown) => this.logger.error('An attempt ended in a fault of the agent', { ...entry.key, reason: messageOf(error) }))
      .then(() => {
        this.entries.delete(keyOf(entry.key));
        this.pump();
      });
  }
}
