import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type ClaimsCoverage, type ClaimsReconciler, type CredentialState, type InstallationKeys, natsClaimsResolver, newClaimsReconciler } from '#identity';
import { Events, type NatsConnection } from 'nats';
import { type Clock, type Logger, fault } from '#kernel';
import type { Follower } from '#projections';
import { CLOCK, FOLLOWER, KEYS, LOGGER, ReconcileLoop, SYSTEM_BUS } from '../../platform/index.ts';
import { CredentialRow } from './read-models/credential.entity.ts';

/** All masters take this lock before they look at, or change, what the NATS servers know of the account AGENTS. */
const lock = 'holdfast account claims';
const everyMs = 10_000;
/** Passes that may fail or be late before that is trouble worth telling. */
const silenceMs = 6 * everyMs;
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
  private doneAt: number;

  constructor(
    @InjectDataSource() private readonly database: DataSource,
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(SYSTEM_BUS) private readonly system: NatsConnection,
    @Inject(KEYS) keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.claims = newClaimsReconciler({ keys, resolver: natsClaimsResolver(system), clock, log });
    this.loop = new ReconcileLoop({ name: 'account claims', everyMs, pass: () => this.pass() }, clock, log);
    this.doneAt = clock.monotonic();
  }

  /** NATS servers by whether they hold the claims; undefined before the first pass. */
  get coverage(): ClaimsCoverage | undefined {
    return this.claims.coverage();
  }

  /** Milliseconds since this master last saw the claims on every server that answers. */
  get ageMs(): number {
    return this.clock.monotonic() - this.doneAt;
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => {
      if (events.some(({ event }) => event.type === 'CredentialRevoked')) this.loop.wake();
    });
    void this.watchServers();
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
      const state = credentialStateOf(await manager.getRepository(CredentialRow).findBy({ status: 'revoked' }));
      // First what cuts somebody off. A server that lost what it kept on its disk lacks both, and one that refuses keeps no other from either.
      await this.claims.agents(state).finally(() => this.claims.control());
    });
    this.doneAt = this.clock.monotonic();
  }

  /** Throws `claims-not-taken` when a NATS server may not know of a revocation, and which. */
  assertInForce(): void {
    const { behind = [], away = [] } = this.coverage ?? {};
    const missing = [...behind, ...away.map((name) => `${name}, which is away`)];
    if (missing.length > 0) {
      throw fault('unavailable', 'claims-not-taken', `Revocations may not be in force on these NATS servers: ${missing.join('; ')}. They are told as soon as they answer`);
    }
    if (this.ageMs < silenceMs) return;
    throw fault('unavailable', 'claims-unavailable', 'For a minute the account claims could not be compared with what the NATS servers hold; the log says why');
  }

  /** A server that comes back, or is new, is told at once: until then it may let in who was revoked meanwhile. */
  private async watchServers(): Promise<void> {
    for await (const { type } of this.system.status()) {
      if (type === Events.Update || type === Events.Reconnect) this.loop.wake();
    }
  }
}
