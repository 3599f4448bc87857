import type { Answer, AskMethod } from '#contracts';

/** A question without its id. */
export type Question = Readonly<Record<string, unknown>>;

export interface AskOptions {
  /** Milliseconds to wait for one answer. Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Asks the masters. */
export interface AskClient {
  /** An id for a question; the same one goes with its repetitions. */
  nextId(): string;
  /**
   * Asks once. The answer is signed by a pinned key for this node and belongs to this very question. Throws `master-unreachable`
   * (retryable: not connected, no master, no answer in time) and `answer-not-trusted` (retryable: somebody else may answer next).
   */
  ask<T>(method: AskMethod, question: Question & { readonly id: string }, options?: AskOptions): Promise<Answer<T>>;
  /** Calls back whenever the masters may be reached again. Returns how to stop that. */
  onBack(listener: () => void): () => void;
}
