import type { NatsConnection } from 'nats';
import { type Clock, type Logger, messageOf, rfc3339 } from '#kernel';
import type { BusHealth } from '#messaging';
import { Wakeup } from '../attempts/wakeup.ts';
import type { AgentDatabase } from '../state/database.ts';
import { Journal } from '../state/journal.ts';
import { Outbox } from '../state/outbox.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import { agentVersion } from '../version.ts';
import { type AgentStatus, writeStatus } from './status-file.ts';

export interface StatusDependencies {
  readonly state: StateDirectory;
  readonly database: AgentDatabase;
  readonly connection: NatsConnection;
  readonly health: BusHealth;
  readonly node: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const everyMs = 5_000;

/** Writes down every few seconds how the agent is, for `status`. */
export class StatusProcess {
  private readonly deps: StatusDependencies;
  private readonly wakeup = new Wakeup();
  private readonly startedAt: number;
  private connected = true;
  private since: number;

  constructor(deps: StatusDependencies) {
    this.deps = deps;
    this.startedAt = this.since = deps.clock.now();
    deps.health.onReconnect(() => this.wakeup.signal());
  }

  /** Runs until `signal` is aborted. A disk that is full stops no agent. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.write();
      await this.wakeup.wait(this.deps.clock, everyMs, signal).catch(() => undefined);
    }
  }

  /** Says that the agent has ended in order. Call it while the database is open. */
  end(): void {
    this.write({ connected: false, since: rfc3339(this.deps.clock.now()), running: [], ended: true });
  }

  private write(more: Partial<AgentStatus> = {}): void {
    const { state, logger } = this.deps;
    try {
      writeStatus(state, { ...this.status(), ...more });
    } catch (error) {
      logger.warn('The status for "status" could not be written', { reason: messageOf(error) });
    }
  }

  private status(): AgentStatus {
    const { database, connection, health, node, clock } = this.deps;
    const now = clock.now();
    const connected = health.isConnected();
    if (connected !== this.connected) [this.connected, this.since] = [connected, now];
    const [journal, outbox] = [new Journal(database, clock), new Outbox(database, clock)];
    return {
      pid: process.pid, version: agentVersion, startedAt: rfc3339(this.startedAt), at: rfc3339(now), node, server: connection.getServer(), connected,
      since: rfc3339(this.since), waitingReports: outbox.waiting(), refusedReports: outbox.refused(),
      running: journal.held().map(({ run, attempt, acceptedAt }) => ({ run, attempt, acceptedAt: rfc3339(acceptedAt) })),
    };
  }
}
