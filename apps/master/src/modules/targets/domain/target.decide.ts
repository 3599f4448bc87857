import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { TargetEvent, TargetSettings, TargetTested } from './target.events.ts';

/** A target that is there. */
export interface KnownTarget {
  readonly status: 'known';
  readonly name: string;
  readonly settings: TargetSettings;
  readonly secret?: string;
  /** The last test, of these settings. */
  readonly test?: { readonly passed: boolean; readonly presigned: boolean };
}

export type TargetState = { readonly status: 'absent' } | KnownTarget | { readonly status: 'removed'; readonly name: string };

export type TargetCommand =
  | { readonly type: 'AddTarget'; readonly name: string; readonly settings: TargetSettings; readonly secret?: string }
  | { readonly type: 'ChangeTarget'; readonly name?: string; readonly settings?: TargetSettings; readonly secret?: string }
  | { readonly type: 'RecordTest'; readonly test: TargetTested['data'] }
  | { readonly type: 'RemoveTarget' };

type Decision = Result<readonly TargetEvent[], Refusal>;

const evolveKnown = (state: KnownTarget, event: Exclude<TargetEvent, { type: 'TargetAdded' }>): TargetState => {
  switch (event.type) {
    case 'TargetChanged': {
      const { test, ...rest } = state;
      // A test says nothing about settings that came after it.
      const kept = event.data.settings === undefined && event.data.secret === undefined && test ? { test } : {};
      return { ...rest, ...event.data, ...kept };
    }
    case 'TargetTested':
      return { ...state, test: { passed: event.data.passed, presigned: event.data.presigned } };
    case 'TargetRemoved':
      return { status: 'removed', name: event.data.name };
    default:
      return unreachable(event, 'target event');
  }
};

const evolve = (state: TargetState, event: TargetEvent): TargetState => {
  if (event.type === 'TargetAdded') return { status: 'known', ...event.data };
  return state.status === 'known' ? evolveKnown(state, event) : state;
};

const sameSettings = (a: TargetSettings, b: TargetSettings): boolean => {
  const sorted = (settings: TargetSettings): string => JSON.stringify(Object.entries(settings).sort(([x], [y]) => (x < y ? -1 : 1)));
  return sorted(a) === sorted(b);
};

const change = ({ name, settings, secret }: Extract<TargetCommand, { type: 'ChangeTarget' }>, state: KnownTarget): Decision => {
  if (settings && settings.kind !== state.settings.kind) {
    return err(refuse('refused', 'target-kind-fixed', 'A target never changes its kind; add a new target and let tasks use it'));
  }
  const data = {
    ...(name !== undefined && name !== state.name ? { name } : {}),
    ...(settings !== undefined && !sameSettings(settings, state.settings) ? { settings } : {}),
    ...(secret !== undefined && secret !== state.secret ? { secret } : {}),
  };
  return ok(Object.keys(data).length === 0 ? [] : [{ type: 'TargetChanged', data }]);
};

const onKnown = (command: Exclude<TargetCommand, { type: 'AddTarget' }>, state: KnownTarget): Decision => {
  switch (command.type) {
    case 'ChangeTarget':
      return change(command, state);
    case 'RecordTest':
      return ok([{ type: 'TargetTested', data: command.test }]);
    case 'RemoveTarget':
      return ok([{ type: 'TargetRemoved', data: { name: state.name } }]);
    default:
      return unreachable(command, 'target command');
  }
};

/** Decides about one target. That no task uses a target which is removed is decided beside it, by the aggregate `places`. */
export const targetDecider: Decider<TargetState, TargetCommand, TargetEvent> = {
  aggregate: 'target',
  initialState: { status: 'absent' },
  evolve,
  decide: (command, state) => {
    if (command.type === 'AddTarget') {
      const { name, settings, secret } = command;
      return ok(state.status === 'absent' ? [{ type: 'TargetAdded', data: { name, settings, ...(secret ? { secret } : {}) } }] : []);
    }
    if (state.status === 'known') return onKnown(command, state);
    if (state.status === 'removed' && command.type === 'RemoveTarget') return ok([]);
    return err(refuse('not-found', 'target-not-found', 'There is no such target; list the targets to see which there are'));
  },
};
