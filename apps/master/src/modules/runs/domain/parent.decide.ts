import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { ChildRun, ParentOrder, ParentRunEvent } from './parent.events.ts';
import { parentOutcome } from './parent.outcome.ts';
import { type EndedParent, type ExistingParent, type ParentState, evolveParent, initialParent, isParentEnded } from './parent.state.ts';
import { absenceEnd } from './run.absence.ts';
import type { Reason } from './run.events.ts';
import type { TerminalStatus } from './run.state.ts';

/** Makes the parent; with `end` it ends at once and says why. Repeated: nothing. */
interface RequestParent {
  readonly type: 'RequestParent';
  readonly order: ParentOrder;
  readonly end?: { readonly status: 'skipped' | 'failed' } & Reason;
}

/** Begins children that wait to be begun; those that do not are passed over. */
interface StartChildren {
  readonly type: 'StartChildren';
  readonly runs: readonly string[];
}

/** Of `any`: this is its child; `instead` of the one that is it now. */
interface PlaceChild extends ChildRun {
  readonly type: 'PlaceChild';
  readonly instead?: string;
}

/** Of `any`, while it has no child: nobody is there to begin it, for this reason. `hopeless`: and nobody will be. */
interface MeetNoPlace extends Reason {
  readonly type: 'MeetNoPlace';
  /** The child that it has, which ended before it began as its node was removed. */
  readonly instead?: string;
  readonly now: string;
  readonly hopeless: boolean;
}

/** `runs`: the children that ended without a result. */
interface RetryParent {
  readonly type: 'RetryParent';
  readonly runs: readonly string[];
  readonly now: string;
}

/** What the children are now; nothing is decided while one that counts has not ended. */
interface EndParent {
  readonly type: 'EndParent';
  readonly ended: ReadonlyMap<string, TerminalStatus>;
}

export type ParentCommand =
  | RequestParent | StartChildren | PlaceChild | MeetNoPlace | RetryParent | EndParent
  | { readonly type: 'CancelParent' }
  /** A child that had ended has changed; `retried` by hand, otherwise by a late success. */
  | { readonly type: 'ReviewParent'; readonly run: string; readonly retried: boolean };

type Decision = Result<readonly ParentRunEvent[], Refusal>;

const request = ({ order, end }: RequestParent, state: ParentState): Decision => {
  if (state.status !== 'absent') return ok([]);
  const requested: ParentRunEvent = { type: 'ParentRunRequested', data: order };
  return ok(end ? [requested, { type: 'ParentRunEnded', data: { counts: {}, ...end } }] : [requested]);
};

const notOpen = ({ status }: ExistingParent): Decision => err(refuse('conflict', 'run-not-waiting', `The run is ${status}; no child begins any more`));

const start = ({ runs }: StartChildren, state: ExistingParent): Decision => {
  if (state.status !== 'open') return notOpen(state);
  const due = runs.filter((run) => state.waiting.includes(run));
  return ok(due.length === 0 ? [] : [{ type: 'ChildRunsStarted', data: { runs: due } }]);
};

const place = ({ run, node, instead }: PlaceChild, state: ExistingParent): Decision => {
  const [child] = state.children;
  if (state.status !== 'open' || state.order.mode !== 'any' || child?.run !== instead) return notOpen(state);
  return ok([{ type: 'ChildRunPlaced', data: { run, node, ...(instead === undefined ? {} : { instead }) } }]);
};

const meetNoPlace = ({ now, hopeless, code, detail, instead }: MeetNoPlace, state: ExistingParent): Decision => {
  if (state.status !== 'open' || state.children[0]?.run !== instead) return ok([]);
  if (hopeless) return ok([{ type: 'ParentRunEnded', data: { status: 'failed', counts: {}, code, detail } }]);
  const end = absenceEnd(state.order.away, now, { code, detail });
  return ok(end ? [{ type: 'ParentRunEnded', data: { status: end.skipped ? 'skipped' : 'failed', counts: {}, ...end.reason } }] : []);
};

const cancel = (state: ExistingParent): Decision => {
  if (isParentEnded(state) && state.status !== 'cancelled') {
    return err(refuse('conflict', 'run-ended', `The run has ended (${state.status}); there is nothing to cancel`));
  }
  return ok(state.status === 'open' ? [{ type: 'ParentRunCancelRequested', data: {} }] : []);
};

const hasResult = ({ status, order }: EndedParent): boolean => status === 'succeeded' || (order.mode === 'any' && status === 'partial');

const retry = ({ runs, now }: RetryParent, state: ExistingParent): Decision => {
  if (!isParentEnded(state)) return err(refuse('conflict', 'run-not-ended', 'The run has not ended; it can be retried when it has'));
  const again = state.children.flatMap(({ run }) => (runs.includes(run) || state.left.includes(run) ? [run] : []));
  if ((state.order.mode === 'all' && again.length === 0) || hasResult(state)) {
    return err(refuse('conflict', 'run-has-result', 'None of its runs ended without a result; start the task again for other ones'));
  }
  return ok([{ type: 'ParentRunRetried', data: { runs: state.order.mode === 'any' ? [] : again, time: now } }]);
};

const review = (run: string, retried: boolean, state: ExistingParent): Decision => {
  if (state.children.some((child) => child.run === run)) return ok([{ type: 'ParentRunReopened', data: { run } }]);
  return retried ? err(refuse('conflict', 'run-replaced', 'Another run has taken its place; retry the parent run')) : ok([]);
};

const endWhole = ({ ended }: EndParent, state: ExistingParent): Decision => {
  if (isParentEnded(state)) return ok([]);
  const cancelling = state.status === 'cancelling';
  const still = new Set([...state.waiting, ...state.left]);
  const begun = state.children.filter(({ run }) => !still.has(run));
  const statuses = begun.flatMap(({ run }) => ended.get(run) ?? []);
  const complete = cancelling || (begun.length > 0 && state.waiting.length === 0);
  if (!complete || statuses.length < begun.length) return ok([]);
  return ok([{ type: 'ParentRunEnded', data: parentOutcome(statuses, { notStarted: still.size, cancelling }) }]);
};

const decideExisting = (command: Exclude<ParentCommand, RequestParent>, state: ExistingParent): Decision => {
  switch (command.type) {
    case 'StartChildren':
      return start(command, state);
    case 'PlaceChild':
      return place(command, state);
    case 'MeetNoPlace':
      return meetNoPlace(command, state);
    case 'CancelParent':
      return cancel(state);
    case 'RetryParent':
      return retry(command, state);
    case 'ReviewParent':
      return review(command.run, command.retried, state);
    case 'EndParent':
      return endWhole(command, state);
    default:
      return unreachable(command, 'parent run command');
  }
};

/** One start of a task that chooses its nodes: from the request through its children to one end of the whole. */
export const parentDecider: Decider<ParentState, ParentCommand, ParentRunEvent> = {
  aggregate: 'parent-run',
  initialState: initialParent,
  evolve: evolveParent,
  decide: (command, state) => {
    if (command.type === 'RequestParent') return request(command, state);
    if (state.status === 'absent') return err(refuse('not-found', 'run-not-found', 'There is no such run; list them with GET /api/v1/runs'));
    return decideExisting(command, state);
  },
};
