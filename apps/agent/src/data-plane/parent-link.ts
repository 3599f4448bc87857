import type { Grant, GrantRequest, IdKeyAnswer, KnownChunksAnswer, PacksAnswer } from '#contracts';
import { AppError, messageOf } from '#kernel';
import type { ChildMessage, ParentMessage, ParentQuestion } from './messages.ts';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The two directions of a data plane's channel to its agent. */
export interface Channel {
  send(message: ChildMessage): void;
  onMessage(listener: (message: ParentMessage) => void): void;
}

/** The data plane's end of the channel: asks with answers, and things said in passing. */
export class ParentLink {
  private readonly channel: Channel;
  private readonly waiting = new Map<number, Waiting>();
  private next = 1;

  constructor(channel: Channel) {
    this.channel = channel;
    channel.onMessage((message) => this.settle(message));
  }

  grants(objects: readonly GrantRequest[]): Promise<readonly Grant[]> {
    return this.ask({ method: 'grants', objects });
  }

  knownChunks(): Promise<KnownChunksAnswer> {
    return this.ask({ method: 'known-chunks' });
  }

  idKey(): Promise<IdKeyAnswer> {
    return this.ask({ method: 'id-key' });
  }

  packs(after?: string): Promise<PacksAnswer> {
    return this.ask({ method: 'packs', ...(after === undefined ? {} : { after }) });
  }

  say(message: Exclude<ChildMessage, { type: 'ask' }>): void {
    this.channel.send(message);
  }

  private ask<T>(question: ParentQuestion): Promise<T> {
    const id = this.next++;
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.channel.send({ type: 'ask', id, question });
    });
  }

  private settle(message: ParentMessage): void {
    if (message.type === 'order') return;
    const entry = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (!entry) return;
    if (message.type === 'answer') entry.resolve(message.value as never);
    else entry.reject(new AppError(message.error, { retryable: message.error.retryable }));
  }
}

/** Any error as what a failed attempt reports: its code, and a sentence for people. */
export const faultOf = (error: unknown): { readonly code: string; readonly detail: string } =>
  error instanceof AppError || (error instanceof Error && 'code' in error && 'detail' in error)
    ? { code: String((error as AppError).code), detail: String((error as AppError).detail) }
    : { code: 'data-plane-fault', detail: messageOf(error) };
