import { type Refusal, refuse } from '#kernel';
import type { ReportOutcome } from '#contracts';
import { type Attempt, type RunState, lastAttempt } from './run.state.ts';
import type { ClaimedAttempt } from './run.events.ts';

/** Who says it, about which attempt, and what. */
export interface Testimony extends ClaimedAttempt {
  readonly node: string;
  readonly outcome: ReportOutcome;
}

/** What a report is worth. `repeat`: it has been decided already. `late`: a given-up attempt whose snapshot counts if it is admitted. */
export type Verdict =
  | { readonly verdict: 'accept' | 'late'; readonly attempt: Attempt }
  | { readonly verdict: 'repeat' }
  | { readonly verdict: 'refuse'; readonly refusal: Refusal };

const no = (code: string, detail: string): Verdict => ({ verdict: 'refuse', refusal: refuse('refused', code, detail) });

const fenced = (number: number): Verdict =>
  no('attempt-fenced', `Attempt ${number} no longer holds the run; end it, what it reports changes nothing`);

const judgeGivenUp = (state: Exclude<RunState, { status: 'absent' }>, attempt: Attempt, outcome: ReportOutcome): Verdict => {
  const proves = (outcome === 'succeeded' || outcome === 'partial') && state.order.plan.kind === 'backup';
  return proves && state.snapshot === undefined && state.status !== 'cancelled' ? { verdict: 'late', attempt } : fenced(attempt.number);
};

/** Judges a report against the state of its run: the decider's rule, also asked before the costly admission. */
export const judgeReport = (state: RunState, { node, attempt: number, claim, outcome }: Testimony): Verdict => {
  if (state.status === 'absent') return no('run-not-found', 'There is no such run; drop the report');
  if (state.order.node !== node) return no('not-your-run', 'The run belongs to another node; drop the report');
  const attempt = state.attempts.find((candidate) => candidate.number === number);
  if (!attempt || attempt.claim !== claim) return no('attempt-fenced', 'The report names no claim of this run; drop it');
  if (attempt.status === 'running') return attempt === lastAttempt(state) ? { verdict: 'accept', attempt } : fenced(number);
  if (attempt.status === outcome) return { verdict: 'repeat' };
  return attempt.status === 'timed-out' || attempt.status === 'lost' ? judgeGivenUp(state, attempt, outcome) : fenced(number);
};
