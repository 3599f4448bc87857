import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThanOrEqual, Not, Repository } from 'typeorm';
import { type Clock, type Logger, derivedId } from '#kernel';
import { CLOCK, Commands, LOGGER, ReconcileLoop, systemContext } from '../../../platform/index.ts';
import { ClaimsProcess } from '../claims.process.ts';
import { type CredentialCommand, credentialDecider, rotationAnswerMs } from '../domain/credential.decide.ts';
import { CredentialRow } from '../read-models/credential.entity.ts';
import { RotationTeller } from './rotation-teller.ts';

const everyMs = 1_000;
/** Keys of one pass; more wait for the next one. */
const most = 200;

/** Ends what time ends: old keys after their grace, tokens that ran out, rotations that no agent answered; and tells rotations again that wait. A reconciler. */
@Injectable()
export class CredentialDuties implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;

  constructor(
    @InjectRepository(CredentialRow) private readonly rows: Repository<CredentialRow>,
    private readonly teller: RotationTeller,
    private readonly claims: ClaimsProcess,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.loop = new ReconcileLoop({ name: 'credentials', everyMs, pass: () => this.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /** One pass of the duty. Two masters at once make one event a key: the second one's decision finds it done. */
  async pass(): Promise<void> {
    const now = new Date(this.clock.now());
    const overdue = await this.rows.find({ where: { status: 'rotated', graceUntil: LessThanOrEqual(now) }, order: { graceUntil: 'ASC', id: 'ASC' }, take: most });
    let ended = 0;
    for (const row of overdue) ended += await this.decide(row, 'EndGrace');
    // Not left to the next period of the claims: the grace is a promise of when it ends, too.
    if (ended > 0) await this.claims.pass();
    const expired = await this.rows.find({ where: { status: Not('revoked'), expired: false, expiresAt: LessThanOrEqual(now) }, order: { expiresAt: 'ASC', id: 'ASC' }, take: most });
    for (const row of expired) await this.decide(row, 'ExpireCredential');
    const answerBefore = new Date(now.getTime() - rotationAnswerMs);
    const unanswered = await this.rows.find({ where: { status: 'issued', rotationRequestedAt: LessThanOrEqual(answerBefore) }, order: { id: 'ASC' }, take: most });
    for (const row of unanswered) await this.decide(row, 'AbandonRotation');
    await this.teller.remind();
  }

  /** The number of events that it took. */
  private async decide({ id, sequence }: CredentialRow, type: 'EndGrace' | 'ExpireCredential' | 'AbandonRotation'): Promise<number> {
    const context = systemContext(this.clock, 'credentials', derivedId('cmd', type, id, String(sequence)));
    const command: CredentialCommand = { type, now: context.time };
    const decided = await this.commands.execute(context, (unit) => unit.decide(credentialDecider, id, command));
    return decided.events.length;
  }
}
