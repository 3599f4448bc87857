import type { RunLogLine } from '#contracts';
import { type Clock, rfc3339 } from '#kernel';
import { redactText } from '#observability';
import type { Telemetry } from '../session/bus.port.ts';
import type { AttemptKey } from './attempt.state.ts';

/** Lines that one attempt may send; the rest is counted. */
export const runLogLines = 5_000;
/** Characters of one line and of one batch. */
const lineCharacters = 4_096;
const batchCharacters = 256 * 1024;
const batchLines = 500;
const flushMs = 1_000;

/** The log of one attempt: numbered lines in batches, at most one a second unless they are large, and a limit for the whole. */
export class RunLog {
  private readonly telemetry: Telemetry;
  private readonly clock: Clock;
  private readonly key: AttemptKey;
  private readonly closing = new AbortController();
  private waiting: RunLogLine[] = [];
  private characters = 0;
  private count = 0;
  private dropped = 0;
  private timer = false;

  constructor(telemetry: Telemetry, clock: Clock, key: AttemptKey) {
    this.telemetry = telemetry;
    this.clock = clock;
    this.key = key;
  }

  add(level: RunLogLine['level'], text: string): void {
    if (this.count >= runLogLines) {
      this.dropped += 1;
      return;
    }
    const line = { n: ++this.count, time: rfc3339(this.clock.now()), level, text: redactText(text.slice(0, lineCharacters)) };
    this.waiting.push(line);
    this.characters += line.text.length;
    if (this.waiting.length >= batchLines || this.characters >= batchCharacters) this.flush();
    else this.flushSoon();
  }

  /** Sends what is left, with the number of lines that were dropped. */
  close(): void {
    this.closing.abort();
    if (this.dropped > 0) {
      const text = `${this.dropped} lines dropped: an attempt may log ${runLogLines} lines`;
      this.waiting.push({ n: ++this.count, time: rfc3339(this.clock.now()), level: 'warn', text });
    }
    this.flush();
  }

  private flushSoon(): void {
    if (this.timer) return;
    this.timer = true;
    this.clock.sleep(flushMs, this.closing.signal).then(() => this.flush(), () => undefined);
  }

  private flush(): void {
    this.timer = false;
    if (this.waiting.length === 0) return;
    const lines = this.waiting;
    this.waiting = [];
    this.characters = 0;
    this.telemetry.log(this.key.run, { attempt: this.key.attempt, lines, ...(this.dropped > 0 ? { dropped: this.dropped } : {}) });
  }
}
