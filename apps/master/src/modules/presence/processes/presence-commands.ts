import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { AppError, type Clock, type IdSource } from '#kernel';
import { CLOCK, CONFIG, Commands, IDS, type MasterConfig, systemContext } from '../../../platform/index.ts';
import { type PresenceCommand, presenceDecider } from '../domain/presence.decide.ts';
import { PresenceRow } from '../read-models/presence.entity.ts';

/** Decides about presence; masters that decide the same at the same time meet in the expected sequence. */
@Injectable()
export class PresenceCommands {
  constructor(
    @InjectRepository(PresenceRow) private readonly rows: Repository<PresenceRow>,
    private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(IDS) private readonly ids: IdSource,
    @Inject(CONFIG) private readonly config: Pick<MasterConfig, 'agents'>,
  ) {}

  /** Milliseconds of silence after which a node is offline. */
  get silenceMs(): number {
    return this.config.agents.offlineAfter * 1000;
  }

  /** Decides one command about one node. */
  async decide(node: string, command: PresenceCommand): Promise<void> {
    const context = systemContext(this.clock, 'presence', this.ids.next('cmd'));
    const decided = await this.commands.attempt(context, (unit) => unit.decide(presenceDecider, node, command));
    if (!decided.ok) throw new AppError(decided.error);
  }

  /** What the read model says of these nodes; of all nodes that are there without `nodes`. */
  async known(nodes?: readonly string[]): Promise<ReadonlyMap<string, PresenceRow>> {
    const where = nodes ? { node: In(nodes) } : { status: In(['online', 'suspect']) };
    return new Map((await this.rows.findBy(where)).map((row) => [row.node, row]));
  }

  /** Which of these nodes exist; heartbeats of others say nothing. */
  async existing(nodes: readonly string[]): Promise<ReadonlySet<string>> {
    const rows: { id: string }[] = await this.rows.query('select id from read.nodes where id = any($1::text[])', [nodes]);
    return new Set(rows.map(({ id }) => id));
  }

  /** True for the key that the node has now; a connection with one that was replaced or revoked says nothing of the node's agent. */
  async isKeyOf(node: string, publicKey: string): Promise<boolean> {
    const rows: unknown[] = await this.rows.query('select 1 from read.nodes where id = $1 and public_key = $2', [node, publicKey]);
    return rows.length > 0;
  }
}
