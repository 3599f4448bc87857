import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { NameEvent } from './name.events.ts';
import { evolveName, initialName, type NameState } from './name.state.ts';

/** Take: the name becomes `owner`'s, or is so already. Release: it is nobody's, unless it is somebody else's. */
export type NameCommand =
  | { readonly type: 'TakeName'; readonly kind: string; readonly name: string; readonly owner: string }
  | { readonly type: 'ReleaseName'; readonly owner: string };

const take = (command: Extract<NameCommand, { type: 'TakeName' }>, state: NameState): Result<readonly NameEvent[], Refusal> => {
  const { kind, name, owner } = command;
  if (state.status === 'free') return ok([{ type: 'NameTaken', data: { kind, name, owner } }]);
  if (state.owner === owner) return ok([]);
  return err(refuse('conflict', 'name-taken', `There is a ${kind} named "${name}" already (${state.owner}); choose another name`));
};

/** Decides about one name; loaded under `nameId(kind, name)`. */
export const nameDecider: Decider<NameState, NameCommand, NameEvent> = {
  aggregate: 'name',
  initialState: initialName,
  evolve: evolveName,
  decide: (command, state) => {
    switch (command.type) {
      case 'TakeName':
        return take(command, state);
      case 'ReleaseName':
        return ok(state.status === 'taken' && state.owner === command.owner ? [{ type: 'NameReleased', data: { owner: command.owner } }] : []);
      default:
        return unreachable(command, 'name command');
    }
  },
};
