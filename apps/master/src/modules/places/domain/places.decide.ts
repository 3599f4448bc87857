import type { Decider } from '#event-store';
import { err, ok, refuse, someOf, unreachable, type Refusal, type Result } from '#kernel';
import type { PlacesEvent } from './places.events.ts';

/** Which task needs which nodes and targets, and which of those are gone. */
export interface PlacesState {
  readonly uses: ReadonlyMap<string, readonly string[]>;
  readonly retired: ReadonlySet<string>;
}

/** `places` are ids of nodes and of targets; what the task had before and is not among them is released. */
export type PlacesCommand =
  | { readonly type: 'TakePlaces'; readonly task: string; readonly places: readonly string[] }
  | { readonly type: 'ReleasePlaces'; readonly task: string }
  | { readonly type: 'RetirePlace'; readonly place: string };

type Decision = Result<readonly PlacesEvent[], Refusal>;

/** All of them are one aggregate: a task with a thousand nodes is one event of it, and every race between them a conflict. */
export const placesId = 'all';

const kindOf = (place: string): 'target' | 'node' => (place.startsWith('target_') ? 'target' : 'node');

const evolve = ({ uses, retired }: PlacesState, event: PlacesEvent): PlacesState => {
  switch (event.type) {
    case 'PlacesTaken':
      return { retired, uses: new Map(uses).set(event.data.task, event.data.places) };
    case 'PlacesReleased':
      return { retired, uses: new Map([...uses].filter(([task]) => task !== event.data.task)) };
    case 'PlaceRetired':
      return { uses, retired: new Set(retired).add(event.data.place) };
    default:
      return unreachable(event, 'places event');
  }
};

const take = (task: string, wished: readonly string[], { uses, retired }: PlacesState): Decision => {
  const gone = wished.find((place) => retired.has(place));
  if (gone !== undefined) {
    return err(refuse('refused', `${kindOf(gone)}-unknown`, `There is no ${kindOf(gone)} ${gone} any more; list them with GET /api/v1/${kindOf(gone)}s`));
  }
  const places = [...new Set(wished)].sort();
  return ok(JSON.stringify(uses.get(task)) === JSON.stringify(places) ? [] : [{ type: 'PlacesTaken', data: { task, places } }]);
};

const retire = (place: string, { uses, retired }: PlacesState): Decision => {
  if (retired.has(place)) return ok([]);
  const tasks = [...uses].filter(([, places]) => places.includes(place)).map(([task]) => task);
  if (tasks.length === 0) return ok([{ type: 'PlaceRetired', data: { place } }]);
  return err(refuse('conflict', `${kindOf(place)}-in-use`, `Tasks use this ${kindOf(place)} (${someOf(tasks)}); change or delete them first`));
};

/** Decides that no task is left on a node or a target that is gone, whoever is first. */
export const placesDecider: Decider<PlacesState, PlacesCommand, PlacesEvent> = {
  aggregate: 'places',
  initialState: { uses: new Map(), retired: new Set() },
  evolve,
  decide: (command, state) => {
    switch (command.type) {
      case 'TakePlaces':
        return take(command.task, command.places, state);
      case 'ReleasePlaces':
        return ok(state.uses.has(command.task) ? [{ type: 'PlacesReleased', data: { task: command.task } }] : []);
      case 'RetirePlace':
        return retire(command.place, state);
      default:
        return unreachable(command, 'places command');
    }
  },
};
