import { defineEvents, type Decider, type DomainEvent } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';

/** The snapshot was checked at this level, by this run. */
export type SnapshotVerified = DomainEvent<'SnapshotVerified', {
  readonly run: string;
  readonly level: '1' | '2' | '2c' | '3';
  readonly outcome: 'intact' | 'damaged';
  /** What is damaged, cut to what an event should carry. */
  readonly faults: readonly { readonly object: string; readonly code: string; readonly paths: readonly string[] }[];
  readonly faultCount: number;
}>;
/** Nothing forgets it until it is released. */
export type SnapshotHeld = DomainEvent<'SnapshotHeld', { readonly reason: string }>;
export type SnapshotReleased = DomainEvent<'SnapshotReleased', Record<string, never>>;
/** It is no longer a snapshot; a prune of the repository deletes what only it referred to. */
export type SnapshotForgotten = DomainEvent<'SnapshotForgotten', { readonly run: string; readonly reason: string }>;

export type SnapshotEvent = SnapshotVerified | SnapshotHeld | SnapshotReleased | SnapshotForgotten;

/** Every version of these events. */
export const snapshotEventVersions = defineEvents<SnapshotEvent>({
  SnapshotVerified: [], SnapshotHeld: [], SnapshotReleased: [], SnapshotForgotten: [],
});

/** What becomes of a snapshot after its run has recorded it. */
export interface SnapshotState {
  readonly held: boolean;
  readonly forgotten: boolean;
}

export type SnapshotCommand =
  | ({ readonly type: 'VerifySnapshot' } & SnapshotVerified['data'])
  | { readonly type: 'HoldSnapshot'; readonly reason: string }
  | { readonly type: 'ReleaseSnapshot' }
  | { readonly type: 'ForgetSnapshot'; readonly run: string; readonly reason: string };

const decideLive = (command: SnapshotCommand, { held }: SnapshotState): Result<readonly SnapshotEvent[], Refusal> => {
  switch (command.type) {
    case 'VerifySnapshot': {
      const { type: _, ...data } = command;
      return ok([{ type: 'SnapshotVerified', data }]);
    }
    case 'HoldSnapshot':
      return ok(held ? [] : [{ type: 'SnapshotHeld', data: { reason: command.reason } }]);
    case 'ReleaseSnapshot':
      return ok(held ? [{ type: 'SnapshotReleased', data: {} }] : []);
    case 'ForgetSnapshot':
      return held
        ? err(refuse('conflict', 'snapshot-held', 'The snapshot is held; release it before it can be forgotten'))
        : ok([{ type: 'SnapshotForgotten', data: { run: command.run, reason: command.reason } }]);
    default:
      return unreachable(command, 'snapshot command');
  }
};

/** One snapshot after it was recorded; that it exists is told by `SnapshotRecorded` of its run. */
export const snapshotDecider: Decider<SnapshotState, SnapshotCommand, SnapshotEvent> = {
  aggregate: 'snapshot',
  initialState: { held: false, forgotten: false },
  evolve: (state, event) => {
    switch (event.type) {
      case 'SnapshotVerified':
        return state;
      case 'SnapshotHeld':
        return { ...state, held: true };
      case 'SnapshotReleased':
        return { ...state, held: false };
      case 'SnapshotForgotten':
        return { ...state, forgotten: true };
      default:
        return unreachable(event, 'snapshot event');
    }
  },
  decide: (command, state) => {
    if (!state.forgotten) return decideLive(command, state);
    return command.type === 'ForgetSnapshot' ? ok([]) : err(refuse('not-found', 'snapshot-forgotten', 'The snapshot has been forgotten'));
  },
};
