import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import { type Clock, type Logger, derivedId, rfc3339 } from '#kernel';
import { CLOCK, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { RepositoryRow } from '../../repositories/index.ts';
import { Deciding, RequestRunHandler } from '../../runs/index.ts';
import { ExpiredSnapshots } from './expired-snapshots.query.ts';

const everyMs = 600_000;
/** Milliseconds between two prunes of a repository that the masters begin by themselves. */
const pruneEveryMs = 86_400_000;

/** Prunes repositories in which snapshots have expired, at most once a day each: the run's id follows from repository and day. */
@Injectable()
export class RetentionProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;

  constructor(
    private readonly deciding: Deciding,
    private readonly requests: RequestRunHandler,
    private readonly expired: ExpiredSnapshots,
    @InjectRepository(RepositoryRow) private readonly repositories: Repository<RepositoryRow>,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.loop = new ReconcileLoop({ name: 'retention', everyMs, pass: () => this.pass() }, clock, logger);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /** One pass of the duty. */
  async pass(): Promise<void> {
    const now = this.clock.now();
    for (const repository of await this.repositories.findBy({ repositoryId: Not(IsNull()) })) {
      const rested = repository.prunedAt === null || now - repository.prunedAt.getTime() >= pruneEveryMs;
      if (rested && (await this.expired.of(repository.id)).length > 0) await this.prune(repository, rfc3339(now).slice(0, 10));
    }
  }

  private async prune({ id, node, target }: RepositoryRow, day: string): Promise<void> {
    const run = derivedId('run', 'prune', id, day);
    await this.deciding.execute('system:retention', (unit) =>
      this.requests.duty(unit, { id: run, plan: { kind: 'prune', ofNode: node, dryRun: false }, target, cause: 'duty' }));
  }
}
