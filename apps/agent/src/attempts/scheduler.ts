import { type Logger, messageOf } from '#kernel';
import { AttemptControl } from './attempt-control.ts';
import { type AttemptKey, type EndReason, keyOf } from './attempt.state.ts';

/** Does all the work of one attempt; settles when nothing of it runs any more. */
export type Work = (key: AttemptKey, control: AttemptControl) => Promise<void>;

interface Entry {
  readonly key: AttemptKey;
  readonly control: AttemptControl;
}

interface Active extends Entry {
  readonly done: Promise<void>;
}

/**
 * Runs attempts, as many at once as there are slots and one at a time of each run, in the order offered. Ending one never waits for
 * a slot: a waiting attempt that is ended is worked on at once, as it then has nothing to do but to say so.
 */
export class Scheduler {
  private readonly waiting = new Map<string, Entry>();
  /** By run: no two attempts of a run at once. */
  private readonly active = new Map<string, Active>();
  private readonly work: Work;
  private readonly logger: Logger;
  private slots: number;
  private busy = 0;
  private draining = false;

  constructor(work: Work, slots: number, logger: Logger) {
    this.work = work;
    this.slots = slots;
    this.logger = logger;
  }

  /** Attempts that occupy a slot now. */
  get running(): number {
    return this.busy;
  }

  /** The attempts that are worked on now. */
  get activeKeys(): readonly AttemptKey[] {
    return [...this.active.values()].map(({ key }) => key);
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
    if (this.draining || this.waiting.has(keyOf(key)) || this.activeOf(key)) return;
    const entry = { key, control: new AttemptControl() };
    this.waiting.set(keyOf(key), entry);
    this.tryStart(entry);
  }

  /** Ends an attempt, queued or running; resolves when nothing of it runs any more, or when it waits behind another of its run. */
  async end(key: AttemptKey, reason: EndReason): Promise<void> {
    const entry = this.waiting.get(keyOf(key)) ?? this.activeOf(key);
    if (!entry) return;
    entry.control.end(reason);
    if (this.waiting.has(keyOf(key))) this.tryStart(entry);
    await this.activeOf(key)?.done;
  }

  /** Takes no more, ends everything so that it can be resumed by the next process, and waits for it. */
  async drain(): Promise<void> {
    this.draining = true;
    this.waiting.clear();
    const running = [...this.active.values()];
    for (const { control } of running) control.end('shutdown');
    await Promise.all(running.map(({ done }) => done));
  }

  private activeOf(key: AttemptKey): Active | undefined {
    const active = this.active.get(key.run);
    return active?.key.attempt === key.attempt ? active : undefined;
  }

  private pump(): void {
    for (const entry of this.waiting.values()) this.tryStart(entry);
  }

  private tryStart({ key, control }: Entry): void {
    const inSlot = !control.signal.aborted;
    if (this.draining || this.active.has(key.run) || (inSlot && this.busy >= this.slots)) return;
    this.waiting.delete(keyOf(key));
    this.busy += inSlot ? 1 : 0;
    // The work begins a turn later, when its entry is there: it may offer and end others at once.
    const done = Promise.resolve().then(() => this.work(key, control))
      .catch((error: unknown) => this.logger.error('An attempt ended in a fault of the agent', { ...key, reason: messageOf(error) }))
      .then(() => {
        this.active.delete(key.run);
        this.busy -= inSlot ? 1 : 0;
        this.pump();
      });
    this.active.set(key.run, { key, control, done });
  }
}
