import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Response } from 'express';
import type { NatsConnection, Subscription } from 'nats';
import { Progress, decodeMessage, subjects } from '#contracts';
import type { RecordedEvent } from '#event-store';
import { type Clock, type Logger, fault } from '#kernel';
import type { Follower } from '#projections';
import { BUS, CLOCK, FOLLOWER, LOGGER, ReconcileLoop } from '../../platform/index.ts';

/** What a client may listen to. */
export const liveTopics = ['runs', 'progress', 'nodes', 'tasks', 'targets', 'snapshots'] as const;
export type LiveTopic = (typeof liveTopics)[number];

const topicOf: Readonly<Record<string, LiveTopic>> = {
  run: 'runs', 'parent-run': 'runs', node: 'nodes', presence: 'nodes', credential: 'nodes', task: 'tasks', target: 'targets', snapshot: 'snapshots',
};
const keepAliveMs = 15_000;
const mostClients = 500;
/** Bytes that may wait for a client that reads slowly; then it is cut off and comes back with a fresh view. */
const mostWaiting = 1024 * 1024;

interface Client {
  readonly response: Response;
  readonly topics: ReadonlySet<LiveTopic>;
}

const changeOf = ({ sequence, revision, aggregate, event, context }: RecordedEvent): string =>
  JSON.stringify({ id: aggregate.id, type: event.type, revision, sequence, time: context.time, actor: context.actor });

/** Tells browsers what has changed: events once their rows can be read, and the progress of runs. Every master serves its own clients. */
@Injectable()
export class LiveHub implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly clients = new Set<Client>();
  private readonly keepAlive: ReconcileLoop;
  private subscription: Subscription | undefined;
  private unsubscribe: () => void = () => undefined;

  constructor(
    @Inject(FOLLOWER) private readonly follower: Follower,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.keepAlive = new ReconcileLoop({ name: 'live', everyMs: keepAliveMs, pass: async () => this.clients.forEach((client) => this.write(client, ':\n\n')) }, clock, log);
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = this.follower.onEvents((events) => { for (const event of events) this.changed(event); });
    this.subscription = this.bus.subscribe(subjects.allProgress, {
      callback: (error, message) => { if (!error) this.progressed(message.subject, message.data); },
    });
    this.keepAlive.start();
  }

  /** Ends the streams, which would otherwise hold the server open; browsers come back by themselves, to another master. */
  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    this.subscription?.unsubscribe();
    await this.keepAlive.stop();
    for (const { response } of this.clients) response.end();
  }

  /**
   * Streams to `response` until it is closed. `since` is the last event that the client has seen: when others came meanwhile, it
   * is told to read its lists again.
   */
  add(response: Response, topics: readonly LiveTopic[], since: number | undefined): void {
    if (this.clients.size >= mostClients) throw fault('unavailable', 'too-many-listeners', 'This master streams to as many clients as it can; poll, or try again');
    response.status(200).set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    const client: Client = { response, topics: new Set(topics) };
    this.clients.add(client);
    response.once('close', () => this.clients.delete(client));
    const position = this.follower.position;
    const news = since !== undefined && since < position ? 'event: reload\ndata: {}\n\n' : '';
    this.write(client, `retry: 2000\n\n${news}event: hello\nid: ${position}\ndata: ${JSON.stringify({ position })}\n\n`);
  }

  private changed(event: RecordedEvent): void {
    const topic = topicOf[event.aggregate.type];
    if (topic !== undefined) this.tell(topic, `event: ${event.aggregate.type}\nid: ${event.sequence}\ndata: ${changeOf(event)}\n\n`);
  }

  private progressed(subject: string, data: Uint8Array): void {
    const [, , node, run] = subject.split('.');
    if (this.clients.size === 0) return;
    try {
      this.tell('progress', `event: progress\ndata: ${JSON.stringify({ run, node, progress: decodeMessage(Progress, data) })}\n\n`);
    } catch {
      this.log.debug('progress that cannot be read', { subject });
    }
  }

  private tell(topic: LiveTopic, text: string): void {
    for (const client of this.clients) if (client.topics.has(topic)) this.write(client, text);
  }

  private write({ response }: Client, text: string): void {
    response.write(text);
    if (response.writableLength > mostWaiting) response.destroy();
  }
}
