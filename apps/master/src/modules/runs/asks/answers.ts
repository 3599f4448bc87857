import type { Answer, ClaimReference } from '#contracts';
import { type Refusal, isAppError, refuse } from '#kernel';
import { isActive, lastAttempt, type ActiveRun, type Attempt, type RunState } from '../domain/run.state.ts';

/** The answer "yes". */
export const answerOk = <T>(id: string, value: T): Answer<T> => ({ id, status: 'ok', value });

const fencing = new Set(['attempt-fenced', 'not-your-run', 'run-not-found']);

/** The answer "no": `stale` for a claim that comes too late, `stop` for a fenced holder, otherwise `refused`. */
export const answerNo = <T>(id: string, { code, detail, kind }: Refusal): Answer<T> => {
  if (code === 'claim-stale') return { id, status: 'stale', code, detail };
  if (fencing.has(code)) return { id, status: 'stop', code, detail };
  return { id, status: 'refused', code, detail, retryable: kind === 'unavailable' };
};

/** What an agent is told when answering failed: faults of ours and of our dependencies may be over when it asks again. */
export const answerFault = <T>(id: string, error: unknown): Answer<T> =>
  isAppError(error) && !error.retryable && error.kind !== 'internal'
    ? answerNo(id, error)
    : { id, status: 'refused', code: isAppError(error) ? error.code : 'internal-error', detail: 'The master cannot answer now; ask again', retryable: true };

/** The run and attempt of a holder whose claim is live. */
export interface LiveHolder {
  readonly run: ActiveRun;
  readonly attempt: Attempt;
}

/** The live holder behind a reference, or `attempt-fenced`. */
export const holderOf = (state: RunState, node: string, { attempt: number, claim }: ClaimReference): LiveHolder | Refusal => {
  const fenced = refuse('refused', 'attempt-fenced', 'The attempt no longer holds the run; end it');
  if (!isActive(state) || state.order.node !== node) return fenced;
  const attempt = lastAttempt(state);
  return attempt?.status === 'running' && attempt.number === number && attempt.claim === claim ? { run: state, attempt } : fenced;
};

export const isRefusal = (value: LiveHolder | Refusal): value is Refusal => 'code' in value;
