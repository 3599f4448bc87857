import { Inject, Injectable } from '@nestjs/common';
import type { CommandHandler, Decided, UnitOfWork } from '#event-store';
import { AppError, type Refusal, type Result } from '#kernel';
import type { CommandContext } from '../http/command-context.ts';
import { COMMAND_HANDLER, FOLLOWER } from '../tokens.ts';

/** The part of the follower that a write needs. */
export interface ReadPosition {
  /** Resolves with true when everything up to `sequence` is projected, with false after `timeoutMs`. */
  waitFor(sequence: number, timeoutMs: number): Promise<boolean>;
}

/** How long a write waits, in milliseconds, for the read models to show it before it is answered 202. */
const readYourWritesMs = 3_000;

/** Decides commands for HTTP and for reconcilers: refusals are thrown, and a client reads its own writes from any master. */
@Injectable()
export class Commands {
  constructor(
    @Inject(COMMAND_HANDLER) private readonly handler: CommandHandler,
    @Inject(FOLLOWER) private readonly follower: ReadPosition,
  ) {}

  /**
   * Loads, decides and appends; then waits until the read models have passed the last event, or makes the answer a 202.
   * Throws the refusal as an `AppError`. `work` may run several times.
   */
  async execute<T>(context: CommandContext, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Decided<T>> {
    const decided = await this.attempt(context, work);
    if (!decided.ok) throw new AppError(decided.error);
    const { sequence } = decided.value;
    if (sequence > 0 && !(await this.follower.waitFor(sequence, readYourWritesMs))) context.pending(sequence);
    return decided.value;
  }

  /** As `execute`, without waiting for the read models and with the refusal as a value: for reconcilers and reports. */
  attempt<T>(context: CommandContext, work: (unit: UnitOfWork) => Promise<Result<T, Refusal>>): Promise<Result<Decided<T>, Refusal>> {
    const { time, actor, from, commandId, traceparent } = context;
    return this.handler.execute({ time, actor, commandId, ...(from ? { from } : {}), ...(traceparent ? { traceparent } : {}) }, work);
  }
}
