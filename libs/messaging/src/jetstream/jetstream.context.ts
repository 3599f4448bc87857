import { BaseRpcContext } from '@nestjs/microservices';
import type { JsMsg } from 'nats';

/** What a handler may know of a delivery beside its payload: `@Ctx() context: JetStreamContext`. */
export class JetStreamContext extends BaseRpcContext<[JsMsg]> {
  /** The subject; its third part is the node, which the sender's credential enforces. */
  get subject(): string {
    return this.args[0].subject;
  }

  /** Sequence in the stream. */
  get sequence(): number {
    return this.args[0].seq;
  }

  /** 1 for the first delivery. */
  get deliveries(): number {
    return this.args[0].info.deliveryCount;
  }

  /** Milliseconds since 1970 at which the server stored it. */
  get storedAt(): number {
    return Math.floor(this.args[0].info.timestampNanos / 1e6);
  }

  /** `Nats-Msg-Id`; empty when the sender gave none. */
  get messageId(): string {
    return this.args[0].headers?.get('Nats-Msg-Id') ?? '';
  }
}
