import type { Msg, NatsConnection, Subscription } from 'nats';
import { nodeOfSubject } from '#contracts';
import { type Clock, type Logger, fault, inStep, isAppError, messageOf } from '#kernel';
import { BusServer } from '../bus.server.ts';
import { RequestContext } from './request.context.ts';

/** A request as it came in. */
export interface IncomingRequest {
  readonly subject: string;
  readonly node: string;
  readonly method: string;
  readonly data: Uint8Array;
}

/** A request whose payload was understood. */
export interface DecodedRequest {
  /** Its id, which the answer repeats. */
  readonly id: string;
  readonly payload: unknown;
}

/** Where requests come from and how their payloads and answers are written. */
export interface RequestServerOptions {
  readonly connection: NatsConnection;
  /** `hf.<kind>.<node>.<method>`, with wildcards. */
  readonly subject: string;
  /** One member of the group answers a request. */
  readonly queue?: string;
  readonly transport: symbol;
  readonly decode: (request: IncomingRequest) => DecodedRequest;
  readonly succeed: (request: IncomingRequest, id: string, result: unknown) => Uint8Array | Promise<Uint8Array>;
  /** `id` is empty when the request could not be read. */
  readonly fail: (request: IncomingRequest, id: string, error: RequestFailure) => Uint8Array | Promise<Uint8Array>;
  /** Requests handled at the same time; further ones are answered `busy`. Default 256. */
  readonly concurrency?: number;
  readonly graceMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the asker is told of an error: nothing of its inside. */
export interface RequestFailure {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

const failureOf = (error: unknown): RequestFailure => isAppError(error)
  ? { code: error.code, detail: error.detail, retryable: error.retryable || error.kind === 'internal' || error.kind === 'conflict' }
  : { code: 'internal', detail: 'Something went wrong on the other side; its log says what', retryable: true };

/** A Nest transport for questions over core NATS: nothing is stored, whoever asks repeats. */
export class RequestServer extends BusServer {
  private readonly options: RequestServerOptions;
  private readonly running = new Set<Promise<void>>();
  private subscription: Subscription | undefined;

  constructor(options: RequestServerOptions) {
    super(options);
    this.options = options;
  }

  listen(callback: (error?: unknown) => void): void {
    const { connection, subject, queue, log } = this.options;
    this.subscription = connection.subscribe(subject, {
      ...(queue ? { queue } : {}),
      callback: (error, message) => {
        if (error) return log.error('Requests cannot be received', { subject, reason: error.message });
        const work = this.answer(message).finally(() => this.running.delete(work));
        this.running.add(work);
      },
    });
    // Resolved when the server knows the subscription, so that "listening" is true.
    connection.flush().then(() => callback(), callback);
  }

  /** Takes no more requests and answers those in hand. The connection stays open: it is not ours. */
  async close(): Promise<void> {
    const { clock, graceMs = 10_000, connection } = this.options;
    if (!connection.isClosed()) await this.subscription?.drain().catch(() => undefined);
    const patience = new AbortController();
    await Promise.race([Promise.all(this.running), clock.sleep(graceMs, patience.signal).catch(() => undefined)]);
    patience.abort();
  }

  private async answer(message: Msg): Promise<void> {
    const { succeed, fail, log, concurrency = 256 } = this.options;
    const method = message.subject.split('.')[3] ?? '';
    const request: IncomingRequest = { subject: message.subject, node: nodeOfSubject(message.subject) ?? '', method, data: message.data };
    let id = '';
    try {
      if (this.running.size >= concurrency) throw fault('unavailable', 'busy', 'Too many requests are being answered; ask again');
      const decoded = this.options.decode(request);
      id = decoded.id;
      const result = await this.call(request, decoded.payload);
      const answer = await succeed(request, id, result);
      await inStep(this.options.connection, this.options.clock);
      message.respond(answer);
    } catch (error) {
      const failure = failureOf(error);
      log[isAppError(error) ? 'debug' : 'error']('A request is refused', { subject: request.subject, code: failure.code, reason: messageOf(error) });
      await this.respond(message, fail(request, id, failure));
    }
  }

  private async respond(message: Msg, data: Uint8Array | Promise<Uint8Array>): Promise<void> {
    try {
      message.respond(await data);
    } catch (error) {
      this.options.log.warn('A request cannot be answered', { subject: message.subject, reason: messageOf(error) });
    }
  }

  private async call(request: IncomingRequest, payload: unknown): Promise<unknown> {
    const handler = this.getHandlerByPattern(request.method);
    if (!handler) throw fault('not-found', 'unknown-method', `There is no method ${request.method.slice(0, 64)}; one side may be newer than the other`);
    return this.resultOf(await handler(payload, new RequestContext([request])));
  }
}
