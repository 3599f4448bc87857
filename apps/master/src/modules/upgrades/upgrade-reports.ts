import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SelfAsk, UpgradeOrder } from '#contracts';
import { AppError, type Clock, type IdSource, type Refusal, type Result, ok } from '#kernel';
import { CLOCK, Commands, IDS, systemContext } from '../../platform/index.ts';
import { type UpgradeState, upgradeDecider } from './domain/upgrade.decide.ts';
import { UpgradeRow } from './read-models/upgrade.entity.ts';

/** What agents say of orders to upgrade, and what they are told. */
@Injectable()
export class UpgradeReports {
  constructor(
    @InjectRepository(UpgradeRow) private readonly rows: Repository<UpgradeRow>,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
  ) {}

  /** Writes down what an order became; resolves with the order that still stands, if there is one. */
  async hear(node: string, { version, upgrade }: Pick<SelfAsk, 'version' | 'upgrade'>): Promise<UpgradeOrder | undefined> {
    const row = await this.rows.findOneBy({ node, status: 'ordered' });
    if (!row) return undefined;
    const context = { ...systemContext(this.clock, 'upgrade', this.ids.next('cmd')), actor: `node:${node}` };
    const heard = { type: 'HearAgent', version, ...(upgrade ? { report: upgrade } : {}) } as const;
    const decided = await this.commands.attempt(context, async (unit): Promise<Result<UpgradeState, Refusal>> => {
      const done = await unit.decide(upgradeDecider, node, heard);
      return done.ok ? ok((await unit.load(upgradeDecider, node)).state) : done;
    });
    if (!decided.ok) throw new AppError(decided.error);
    // The row may be behind: what was decided counts.
    const { value: state } = decided.value;
    if (state.status !== 'ordered') return undefined;
    const { upgrade: id, sha256, size, version: wanted } = state.order;
    return { id, version: wanted, sha256, size };
  }
}
