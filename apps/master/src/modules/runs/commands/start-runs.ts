import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { AppError, type Logger, type Refusal, type Result, messageOf, ok } from '#kernel';
import type { Follower } from '#projections';
import { type CommandContext, Commands, FOLLOWER, LOGGER } from '../../../platform/index.ts';
import { type DispatchedAttempt, DispatchRunHandler } from './dispatch-run/dispatch-run.handler.ts';

/** How long a start waits, in milliseconds, for the read models to show it before it is answered 202. */
const readYourWritesMs = 3_000;

/** A run that was requested, and its node. */
export interface RequestedRun {
  readonly run: string;
  readonly node: string;
}

/** Requests runs for somebody who waits for the answer, and sends them at once instead of at the next pass. */
@Injectable()
export class StartRuns {
  constructor(
    private readonly commands: Commands,
    private readonly dispatch: DispatchRunHandler,
    @Inject(FOLLOWER) private readonly follower: Pick<Follower, 'waitFor'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Throws what `work` refuses with. `work` may run several times. */
  async start(
    context: CommandContext, work: (unit: UnitOfWork) => Promise<Result<readonly RequestedRun[], Refusal>>,
  ): Promise<readonly RequestedRun[]> {
    const decided = await this.commands.attempt(context, (unit) => this.request(unit, work));
    if (!decided.ok) throw new AppError(decided.error);
    const { value: { requested, sent }, sequence } = decided.value;
    // Beside the answer, not before it: a repository that many runs want at once must not hold up those who asked.
    if (sent) void this.dispatch.send(sent);
    else for (const item of requested) void this.send(item);
    if (sequence > 0 && !(await this.follower.waitFor(sequence, readYourWritesMs))) context.pending(sequence);
    return requested;
  }

  /** A single run that nothing stands in the way of is requested and dispatched in one batch. */
  private async request(
    unit: UnitOfWork, work: (unit: UnitOfWork) => Promise<Result<readonly RequestedRun[], Refusal>>,
  ): Promise<Result<{ readonly requested: readonly RequestedRun[]; readonly sent?: DispatchedAttempt }, Refusal>> {
    const made = await work(unit);
    if (!made.ok) return made;
    const requested = made.value;
    const [only] = requested.length === 1 ? requested : [];
    const sent = only && (await this.dispatch.decide(unit, only.run, only.node));
    return ok({ requested, ...(sent?.ok ? { sent: sent.value } : {}) });
  }

  private async send({ run, node }: RequestedRun): Promise<void> {
    try {
      await this.dispatch.dispatch(run, node);
    } catch (error) {
      this.logger.warn('A run could not be sent at once; the next pass sends it', { run, node, reason: messageOf(error) });
    }
  }
}
