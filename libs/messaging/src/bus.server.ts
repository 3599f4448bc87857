import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { NatsConnection } from 'nats';
import { lastValueFrom } from 'rxjs';
import { fault } from '#kernel';

/** What the Nest transports over a connection of their caller have in common. */
export abstract class BusServer extends Server implements CustomTransportStrategy {
  private readonly connection: NatsConnection;

  /** @param from.transport Only handlers of this transport are bound. */
  constructor(from: { readonly connection: NatsConnection; readonly transport: symbol }) {
    super();
    this.connection = from.connection;
    this.transportId = from.transport;
  }

  /** By the plain name, without trying whether it is JSON: that costs a thrown error for each message. */
  override getHandlerByPattern(name: string): MessageHandler | null {
    return this.messageHandlers.get(name) ?? null;
  }

  override on(): void {
    throw fault('internal', 'not-supported', 'This transport has no events of its own');
  }

  override unwrap<T>(): T {
    return this.connection as T;
  }

  /** What a handler came to: its value, or the last one of its observable. */
  protected resultOf(returned: unknown): Promise<unknown> {
    return lastValueFrom(this.transformToObservable(returned as Promise<unknown>), { defaultValue: undefined });
  }
}
