import { once } from 'node:events';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { Response } from 'express';
import type { NatsConnection } from 'nats';
import { subjects } from '#contracts';
import { type Clock, fault } from '#kernel';
import type { Follower } from '#projections';
import { BUS, CLOCK, FOLLOWER } from '../../../../platform/index.ts';
import { terminalStatuses } from '../../domain/run.state.ts';
import { RunLogs } from './run-log.query.ts';
import { RunViews } from './runs.query.ts';

/** Milliseconds between two looks when nothing wakes the stream; each one also keeps proxies from closing it. */
const lookMs = 10_000;
/** Milliseconds from a line on the bus until it is stored, and read: what comes within is one look. */
const settleMs = 100;
const mostClients = 200;

/** What to stream. */
export interface FollowedLog {
  readonly run: string;
  readonly node: string;
  /** Stream position that the client has seen. */
  readonly after: number;
  /** The client comes back: 204 when there is nothing more, which ends an `EventSource`. */
  readonly resumed: boolean;
}

const isFinal = (status: string): boolean => (terminalStatuses as readonly string[]).includes(status);

/** A wait that somebody else can end. */
class Bell {
  private rung = false;
  private nap = new AbortController();

  constructor(private readonly clock: Clock) {}

  readonly ring = (): void => {
    this.rung = true;
    this.nap.abort();
  };

  /** Resolves when the bell rings or rang since the last wait, or after `ms` milliseconds. */
  async wait(ms: number): Promise<void> {
    if (!this.rung) await this.clock.sleep(ms, this.nap.signal).catch(() => undefined);
    this.rung = false;
    this.nap = new AbortController();
  }
}

/** Streams logs of runs to clients: what there is, then each line as it comes, until the run has ended. */
@Injectable()
export class RunLogStream implements BeforeApplicationShutdown {
  private readonly open = new Set<() => void>();

  constructor(
    private readonly views: RunViews,
    private readonly logs: RunLogs,
    @Inject(BUS) private readonly bus: NatsConnection,
    @Inject(FOLLOWER) private readonly follower: Pick<Follower, 'onEvents'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Ends the streams, which would hold the server open; clients come back with the last id that they have seen. */
  beforeApplicationShutdown(): void {
    for (const end of this.open) end();
  }

  /** Resolves when the run has ended, the client is gone or the master stops. Throws `run-not-found`, `jetstream-unavailable` and `too-many-listeners` before it begins. */
  async follow(log: FollowedLog, response: Response): Promise<void> {
    if (this.open.size >= mostClients) throw fault('unavailable', 'too-many-listeners', 'This master streams to as many clients as it can; poll, or try again');
    if (log.resumed && (await this.isOver(log))) return void response.status(204).end();
    const bell = new Bell(this.clock);
    const gone = new AbortController();
    const end = (): void => { gone.abort(); bell.ring(); };
    this.open.add(end);
    response.once('close', end);
    const subscription = this.bus.subscribe(subjects.log(log.node, log.run), { callback: bell.ring });
    const unsubscribe = this.follower.onEvents((events) => { if (events.some(({ aggregate }) => aggregate.id === log.run)) bell.ring(); });
    try {
      response.status(200).set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
      response.write('retry: 2000\n\n');
      await this.stream(log, response, { bell, signal: gone.signal });
    } finally {
      unsubscribe();
      subscription.unsubscribe();
      this.open.delete(end);
      response.end();
    }
  }

  private async stream(log: FollowedLog, response: Response, { bell, signal }: { readonly bell: Bell; readonly signal: AbortSignal }): Promise<void> {
    for (let position = log.after; !signal.aborted;) {
      const { status } = await this.views.show(log.run).catch(() => ({ status: 'unknown' }));
      position = await this.pass({ ...log, after: position }, response, signal);
      if (signal.aborted) return;
      if (isFinal(status)) return void response.write(`event: end\nid: ${position}\ndata: ${JSON.stringify({ status })}\n\n`);
      await bell.wait(lookMs);
      await this.clock.sleep(settleMs, signal).catch(() => undefined);
      response.write(':\n\n');
    }
  }

  /** Sends what is stored after the position and returns the new one; the same one when the log cannot be read at the moment. */
  private async pass({ node, run, after }: FollowedLog, response: Response, signal: AbortSignal): Promise<number> {
    let position = after;
    for (let more = true; more && !signal.aborted;) {
      const page = await this.logs.read(node, run, position).catch(() => undefined);
      if (!page || page.position === position) return position;
      ({ position, more } = page);
      const { lines, dropped } = page;
      const room = response.write(`event: lines\nid: ${position}\ndata: ${JSON.stringify({ lines, dropped })}\n\n`);
      if (!room) await once(response, 'drain', { signal }).catch(() => undefined);
    }
    return position;
  }

  private async isOver({ run, node, after }: FollowedLog): Promise<boolean> {
    const { status } = await this.views.show(run);
    return isFinal(status) && (await this.logs.read(node, run, after)).position === after;
  }
}
