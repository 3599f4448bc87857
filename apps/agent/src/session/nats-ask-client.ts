import type { NatsConnection } from 'nats';
import { type Answer, type AskMethod, encodeMessage, subjects } from '#contracts';
import { type IdSource, type Logger, fault, messageOf } from '#kernel';
import type { BusHealth } from '#messaging';
import type { AskClient, AskOptions, Question } from './ask-client.port.ts';
import type { BusGate } from './bus-gate.ts';
import type { MasterVoice } from './master-voice.ts';

const isAnswer = <T>(value: unknown, id: string): value is Answer<T> => {
  if (typeof value !== 'object' || value === null || !('id' in value) || value.id !== id || !('status' in value)) return false;
  if (value.status === 'ok') return 'value' in value;
  return ['stale', 'stop', 'refused'].includes(String(value.status)) && 'code' in value && typeof value.code === 'string';
};

const unreachableMaster = (cause: unknown) =>
  fault('unavailable', 'master-unreachable', 'No master answered; the agent goes on asking', { cause });

export interface NatsAskDependencies {
  readonly connection: NatsConnection;
  readonly health: Pick<BusHealth, 'onReconnect'>;
  readonly node: string;
  readonly voice: MasterVoice;
  readonly ids: IdSource;
  readonly gate: BusGate;
  readonly logger: Logger;
}

/** Asks over `hf.ask.<node>.<method>`. */
export class NatsAskClient implements AskClient {
  private readonly deps: NatsAskDependencies;

  constructor(deps: NatsAskDependencies) {
    this.deps = deps;
  }

  nextId(): string {
    return this.deps.ids.next('cmd');
  }

  onBack(listener: () => void): () => void {
    return this.deps.health.onReconnect(listener);
  }

  async ask<T>(method: AskMethod, question: Question & { readonly id: string }, { timeoutMs = 5_000, signal }: AskOptions = {}): Promise<Answer<T>> {
    signal?.throwIfAborted();
    const { connection, node, voice, gate, logger } = this.deps;
    const request = gate.pass(() => connection.request(subjects.ask(node, method), encodeMessage(question), { timeout: timeoutMs }));
    const reply = await untilAborted(request, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw unreachableMaster(error);
    });
    const heard = voice.hear('answer', reply.data);
    if (heard.ok && isAnswer<T>(heard.value, question.id)) return heard.value;
    const reason = heard.ok ? 'It answers another question' : heard.error.detail;
    logger.warn('An answer is not to be trusted', { method, reason });
    throw fault('unavailable', 'answer-not-trusted', `The answer to ${method} was ignored: ${messageOf(reason)}`);
  }
}

/** The promise, or the signal's reason when that comes first. */
const untilAborted = async <T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (!signal) return promise;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
};
