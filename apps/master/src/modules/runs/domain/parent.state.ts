import { unreachable } from '#kernel';
import { type ChildRun, type ParentEnd, type ParentOrder, type ParentRunEvent, parentEnds } from './parent.events.ts';

interface ParentFacts {
  readonly order: ParentOrder;
  /** The runs that count: of `all` one a node, of `any` the one that was placed, if it was. */
  readonly children: readonly ChildRun[];
  /** Children to request, or to queue once more. */
  readonly waiting: readonly string[];
  /** Children that had not begun when the parent ended: only a retry of it begins them. */
  readonly left: readonly string[];
  /** How many children of `any` there have been. */
  readonly placements: number;
}

/** Children begin, work, or are waited for. */
export type OpenParent = ParentFacts & { readonly status: 'open' | 'cancelling' };
export type EndedParent = ParentFacts & { readonly status: ParentEnd };
export type ExistingParent = OpenParent | EndedParent;
export type ParentState = { readonly status: 'absent' } | ExistingParent;

export const initialParent: ParentState = { status: 'absent' };

export const isParentEnded = (state: ParentState): state is EndedParent => (parentEnds as readonly string[]).includes(state.status);

const retried = (state: ExistingParent, runs: readonly string[], time: string): ExistingParent => ({
  ...state,
  status: 'open',
  order: { ...state.order, away: { ...state.order.away, since: time } },
  children: state.order.mode === 'any' ? [] : state.children,
  waiting: runs,
  left: [],
});

const evolveExisting = (state: ExistingParent, event: Exclude<ParentRunEvent, { type: 'ParentRunRequested' }>): ParentState => {
  switch (event.type) {
    case 'ChildRunsStarted':
      return { ...state, waiting: state.waiting.filter((run) => !event.data.runs.includes(run)) };
    case 'ChildRunPlaced':
      return { ...state, children: [{ run: event.data.run, node: event.data.node }], placements: state.placements + 1 };
    case 'ParentRunCancelRequested':
      return { ...state, status: 'cancelling' };
    case 'ParentRunRetried':
      return retried(state, event.data.runs, event.data.time);
    case 'ParentRunReopened':
      return { ...state, status: state.status === 'cancelling' ? 'cancelling' : 'open' };
    case 'ParentRunEnded':
      return { ...state, status: event.data.status, waiting: [], left: [...state.left, ...state.waiting] };
    default:
      return unreachable(event, 'parent run event');
  }
};

/** Total: an event of a parent that was never requested changes nothing. */
export const evolveParent = (state: ParentState, event: ParentRunEvent): ParentState => {
  if (event.type === 'ParentRunRequested') {
    const { children } = event.data;
    return { status: 'open', order: event.data, children, waiting: children.map(({ run }) => run), left: [], placements: 0 };
  }
  return state.status === 'absent' ? state : evolveExisting(state, event);
};
