import { type RecordedEvent } from '#event-store';
import { type Clock, type Logger, messageOf } from '#kernel';
import type { EventsListener } from './follower.port.ts';
import { waiters } from './waiters.ts';

/** What this master knows of the common position, who waits for it and who listens. */
export interface Progress {
  readonly position: number;
  /** Where it begins: what lies before is delivered to nobody. */
  begin(position: number): void;
  /** The position is `sequence` now; `batch` are the events up to it, when they are at hand. */
  reached(sequence: number, batch?: readonly RecordedEvent[]): void;
  waitFor(sequence: number, timeoutMs: number): Promise<boolean>;
  onEvents(listener: EventsListener): () => void;
}

/** Reads committed events with `after < sequence <= until`, from the archive. */
export type ReadCommitted = (after: number, until: number) => Promise<readonly RecordedEvent[]>;

/** Keeps the position; delivers every event once and in order, whether this master projected it or another one did. */
export const progress = (read: ReadCommitted, clock: Clock, logger: Logger): Progress => {
  let position = 0;
  let delivered = 0;
  let delivering: Promise<void> | undefined;
  const waiting = waiters(clock);
  const listeners = new Set<EventsListener>();

  const deliver = (events: readonly RecordedEvent[]): void => {
    delivered = events.at(-1)?.sequence ?? delivered;
    for (const listener of listeners) {
      try {
        listener(events);
      } catch (error) {
        logger.error('A listener of events failed', { error: messageOf(error) });
      }
    }
  };
  const catchUp = async (): Promise<void> => {
    while (delivered < position) {
      const events = await read(delivered, position);
      if (events.length === 0) throw new Error(`The archive has no event ${delivered + 1}`);
      deliver(events);
    }
  };
  const handOut = (batch: readonly RecordedEvent[]): void => {
    if (listeners.size === 0 && !delivering) delivered = position;
    else if (!delivering && batch[0]?.sequence === delivered + 1) deliver(batch);
    else {
      delivering ??= catchUp()
        .catch((error: unknown) => logger.error('Events could not be delivered yet', { error: messageOf(error) }))
        .finally(() => { delivering = undefined; });
    }
  };
  return {
    get position() {
      return position;
    },
    begin: (at) => { [position, delivered] = [Math.max(position, at), Math.max(delivered, at)]; },
    reached: (sequence, batch = []) => {
      if (sequence > position) {
        position = sequence;
        waiting.reached(sequence);
      }
      if (delivered < position) handOut(batch);
    },
    waitFor: (sequence, timeoutMs) => (sequence <= position ? Promise.resolve(true) : waiting.add(sequence, timeoutMs)),
    onEvents: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};
