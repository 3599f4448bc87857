import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type ClaimsReconciler, type CredentialState, type InstallationKeys, natsClaimsResolver, newClaimsReconciler } from '#identity';
import type { NatsConnection } from 'nats';
import type { Clock, Logger } from '#kernel';
import type { Follower } from '#projections';
import { CLOCK, FOLLOWER, KEYS, LOGGER, ReconcileLoop, SYSTEM_BUS } from '../../platform/index.ts';
import { CredentialRow } from './read-models/credential.entity.ts';

/** All masters take this lock before they look at, or change, what the NATS servers know of the account AGENTS. */
const lock = 'holdfast account claims';
const everyMs = 10_000;
const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

/** What the claims are made from: the revocations, and the sequence of the last of them. */
export const credentialStateOf = (revoked: readonly CredentialRow[]): CredentialState => {
  const last = revoked.reduce<CredentialRow | undefined>((latest, row) => (latest && latest.sequence > row.sequence ? latest : row), undefined);
  return {
    sequence: last?.sequence ?? 0,
    time: last ? seconds(last.changedAt) : 0,
    revoked: revoked.map((row) => ({ publicKey: row.publicKey, revokedAt: seconds(row.revokedAt ?? row.changedAt), expiresAt: seconds(row.expiresAt) })),
  };
};

/** Keeps the account claims on the NATS servers equal to the revocations. A reconciler: any master, any number of times. */
@Injectable()
export class ClaimsProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly claims: ClaimsReconciler;
  private readonly loop: ReconcileLoop;
  private unsubscribe: () => void = () => undefined;

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(SYSTEM_BUS) system: NatsConnection,
    @Inject(KEYS) keys: InstallationKeys,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.claims = newClaimsReconciler({ keys, resolver: natsClaimsResolver(system), clock, log });
    this.loop = new ReconcileLoop({ name: 'account claims', everyMs, pass: () => this.pass() }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => {
      if (events.some(({ event }) => event.type === 'CredentialRevoked')) this.loop.wake();
    });
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    await this.loop.stop();
  }

  /** One pass; returns when the servers hold the claims of all revocations that are projected. */
  async pass(): Promise<void> {
    await this.database.transaction(async (manager) => {
      await manager.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
      await this.claims.agents(credentialStateOf(await manager.getRepository(CredentialRow).findBy({ status: 'revoked' })));
    });
  }
}
