import { type EndReason } from './attempt.state.ts';

/** The reason of an aborted signal of an attempt. */
export class AttemptEnded extends Error {
  readonly reason: EndReason;

  constructor(reason: EndReason) {
    super(`The attempt was ended: ${reason}`);
    this.name = 'AttemptEnded';
    this.reason = reason;
  }
}

/** Ends one attempt from outside. The first reason of each kind wins. */
export class AttemptControl {
  private readonly all = new AbortController();
  private readonly hard = new AbortController();

  /** Aborted for every reason: what a data plane runs under. */
  get signal(): AbortSignal {
    return this.all.signal;
  }

  /** Aborted only when nothing may be said about the attempt any more; a cancelled or timed-out one still has to be reported. */
  get hardSignal(): AbortSignal {
    return this.hard.signal;
  }

  end(reason: EndReason): void {
    const ended = new AttemptEnded(reason);
    if (reason !== 'cancelled' && reason !== 'timed-out') this.hard.abort(ended);
    this.all.abort(ended);
  }

  /** Why the attempt was ended; the hard reason when there are two. Undefined while it goes on. */
  get reason(): EndReason | undefined {
    const { reason } = (this.hard.signal.aborted ? this.hard : this.all).signal as { reason?: unknown };
    return reason instanceof AttemptEnded ? reason.reason : undefined;
  }
}
