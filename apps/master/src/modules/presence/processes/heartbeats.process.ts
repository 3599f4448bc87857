import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type ConsumerMessages, DeliverPolicy, type JsMsg, type NatsConnection } from 'nats';
import { Heartbeat, decodeMessage, nodeOfSubject, streams } from '#contracts';
import { type Clock, type Logger, messageOf, parseTime } from '#kernel';
import type { BusHealth } from '#messaging';
import { BUS, BUS_HEALTH, CLOCK, LOGGER, ReconcileLoop } from '../../../platform/index.ts';
import type { PresenceRow } from '../read-models/presence.entity.ts';
import { type Clone, CloneWatch } from './clone-watch.ts';
import { type Beat, type Duplicate, HeartbeatRows } from './heartbeat-rows.ts';
import { PresenceCommands } from './presence-commands.ts';

const flushMs = 1_000;
const retryMs = 1_000;
const mostSkewMs = 2_000_000_000;

const beatOf = (beat: Heartbeat, message: JsMsg): Beat => {
  const arrived = Math.floor(message.info.timestampNanos / 1e6);
  const skew = parseTime(beat.update_ts) - arrived;
  return {
    node: beat.key, instance: beat.instance, lastSeen: new Date(arrived),
    skewMs: Number.isFinite(skew) ? Math.max(-mostSkewMs, Math.min(mostSkewMs, Math.round(skew))) : 0,
    hostname: beat.hostname, ip: beat.ip, mac: beat.mac, version: beat.version, load: beat.load, memoryFree: beat.memory_free ?? null,
    memoryTotal: beat.memory_total ?? null, cpuPercent: beat.cpu_percent ?? null, diskFree: beat.disk_free ?? null, diskTotal: beat.disk_total ?? null,
    slots: beat.slots, running: beat.running,
  };
};

/** Whether presence has something to decide: not for the younger of two state directories, nor for what it knows. */
const isNews = ({ node, instance, version }: Beat, row: PresenceRow | undefined, duplicates: readonly Duplicate[]): boolean => {
  if (duplicates.some((found) => found.node === node && found.older !== instance)) return false;
  return row?.status !== 'online' || row.instance !== instance || row.version !== version;
};

/** Takes heartbeats from the bus into the schema `live`, and tells when a node came. Every master does; the rows are the same. */
@Injectable()
export class HeartbeatsProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly reading: ReconcileLoop;
  private readonly flushing: ReconcileLoop;
  private waiting = new Map<string, Beat>();
  private readonly watch = new CloneWatch();
  private clones = new Map<string, Clone>();
  private messages: ConsumerMessages | undefined;
  private since: number | undefined;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly rows: HeartbeatRows,
    private readonly presence: PresenceCommands,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(BUS_HEALTH) private readonly health: BusHealth,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.reading = new ReconcileLoop({ name: 'heartbeats', everyMs: retryMs, pass: (signal) => this.read(signal) }, clock, log);
    this.flushing = new ReconcileLoop({ name: 'heartbeat rows', everyMs: flushMs, pass: () => this.flush() }, clock, log);
  }

  /** Monotonic time since which every heartbeat reached this master; undefined while none does. */
  get unbrokenSince(): number | undefined {
    return this.health.isConnected() ? this.since : undefined;
  }

  onApplicationBootstrap(): void {
    // A restarted server has forgotten the stream, which is in memory, and with it the consumer.
    this.unsubscribe = this.health.onReconnect(() => this.messages?.stop());
    this.reading.start();
    this.flushing.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    this.messages?.stop();
    await Promise.all([this.reading.stop(), this.flushing.stop()]);
  }

  /** Reads until the consumer ends: an ordered one, from the last heartbeat of every node on. */
  private async read(signal: AbortSignal): Promise<void> {
    try {
      const consumer = await this.bus.jetstream().consumers.get(streams.heartbeats, { deliver_policy: DeliverPolicy.LastPerSubject });
      this.messages = await consumer.consume({ max_messages: 1_000, idle_heartbeat: 5_000 });
      this.since = this.clock.monotonic();
      if (signal.aborted) this.messages.stop();
      for await (const message of this.messages) this.take(message);
    } finally {
      this.since = undefined;
    }
  }

  private take(message: JsMsg): void {
    try {
      const said = decodeMessage(Heartbeat, message.data);
      if (said.key !== nodeOfSubject(message.subject)) throw new Error('The heartbeat names another node than its subject');
      this.waiting.set(`${said.key} ${said.instance}`, beatOf(said, message));
      const clone = this.watch.saw(said);
      if (clone) this.clones.set(said.key, clone);
    } catch (error) {
      this.log.warn('a heartbeat is malformed', { subject: message.subject, reason: messageOf(error) });
    }
  }

  private async flush(): Promise<void> {
    const beats = [...this.waiting.values()];
    if (beats.length === 0) return;
    await this.rows.keep(beats);
    this.waiting = new Map([...this.waiting].filter(([, beat]) => !beats.includes(beat)));
    const nodes = [...new Set(beats.map(({ node }) => node))];
    await this.rows.connected(nodes);
    await this.tell(nodes, beats);
  }

  private async tell(nodes: readonly string[], beats: readonly Beat[]): Promise<void> {
    const existing = await this.presence.existing(nodes);
    const known = await this.presence.known(nodes);
    // An old heartbeat that a starting master finds in the stream is no news.
    const since = Math.max(...beats.map(({ lastSeen }) => lastSeen.getTime())) - this.presence.silenceMs;
    const duplicates = await this.rows.duplicates(nodes, new Date(since));
    const fresh = beats.filter((beat) => existing.has(beat.node) && beat.lastSeen.getTime() >= since);
    for (const { node, instance, version, hostname } of fresh.filter((beat) => isNews(beat, known.get(beat.node), duplicates))) {
      await this.presence.decide(node, { type: 'SeeNode', instance, version, hostname });
    }
    for (const { node, younger } of duplicates.filter((found) => existing.has(found.node))) {
      await this.presence.decide(node, { type: 'SeeDuplicate', other: younger.instance, otherHostname: younger.hostname });
    }
    const clones = this.clones;
    this.clones = new Map();
    for (const [node, { process, hostname }] of [...clones].filter(([node]) => existing.has(node))) {
      await this.presence.decide(node, { type: 'SeeDuplicate', other: process, otherHostname: hostname });
    }
  }
}
