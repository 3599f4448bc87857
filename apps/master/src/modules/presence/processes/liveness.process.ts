import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from 'nats';
import { streams } from '#contracts';
import { type Clock, type Logger, fault, parseTime, rfc3339 } from '#kernel';
import { BUS, CLOCK, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import { HeartbeatRows } from './heartbeat-rows.ts';
import { HeartbeatsProcess } from './heartbeats.process.ts';
import { judgeLiveness } from './liveness.ts';
import { PresenceCommands } from './presence-commands.ts';

const everyMs = 2_000;
/** A pass this late means that the master itself stood still. */
const pausedMs = 10_000;
const graceMs = 10_000;

/** Finds out which nodes are not there any more. A reconciler: any master, any number of times. */
@Injectable()
export class LivenessProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: ReconcileLoop;
  private lastPass: number;
  private awakeSince: number;

  constructor(
    private readonly heartbeats: HeartbeatsProcess,
    private readonly rows: HeartbeatRows,
    private readonly presence: PresenceCommands,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
  ) {
    this.lastPass = clock.monotonic();
    this.awakeSince = this.lastPass;
    this.loop = new ReconcileLoop({ name: 'liveness', everyMs, pass: () => this.pass() }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  private async pass(): Promise<void> {
    const known = await this.presence.known();
    if (known.size === 0) return this.tick();
    const now = await this.serverNow();
    this.tick();
    const nodes = [...known.keys()];
    const [lastSeen, gone] = [await this.rows.lastSeen(nodes), await this.rows.gone(new Date(now))];
    const ended = new Map(gone.map(({ node, at }) => [node, at.getTime()]));
    const watched = [...known.values()].map(({ node, status }) => ({
      node, status, lastSeen: lastSeen.get(node)?.getTime() ?? 0, ...(ended.has(node) ? { disconnectedAt: ended.get(node) ?? 0 } : {}),
    }));
    for (const lost of judgeLiveness(watched, { now, unbrokenMs: this.unbrokenMs(), silenceMs: this.presence.silenceMs, graceMs })) {
      await this.presence.decide(lost.node, { type: 'LoseNode', reason: lost.reason, lastSeen: rfc3339(lost.lastSeen) });
    }
  }

  private tick(): void {
    const now = this.clock.monotonic();
    if (now - this.lastPass > pausedMs) this.awakeSince = now;
    this.lastPass = now;
  }

  private unbrokenMs(): number {
    const since = this.heartbeats.unbrokenSince;
    return since === undefined ? 0 : this.clock.monotonic() - Math.max(since, this.awakeSince);
  }

  /** The clock that stamps arrivals: the stream leader's. */
  private async serverNow(): Promise<number> {
    const manager = await this.bus.jetstreamManager({ checkAPI: false, timeout: 5_000 });
    const { ts } = (await manager.streams.info(streams.heartbeats)) as { ts?: string };
    const now = parseTime(ts ?? '');
    if (Number.isNaN(now)) throw fault('unavailable', 'bus-clock-unknown', 'The NATS server does not tell its time; it is too old');
    return now;
  }
}
