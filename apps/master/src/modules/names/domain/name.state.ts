import { derivedId, unreachable } from '#kernel';
import type { NameEvent } from './name.events.ts';

/** A name that is free, or whose it is. */
export type NameState = { readonly status: 'free' } | { readonly status: 'taken'; readonly owner: string };

export const initialName: NameState = { status: 'free' };

export const evolveName = (_state: NameState, event: NameEvent): NameState => {
  switch (event.type) {
    case 'NameTaken':
      return { status: 'taken', owner: event.data.owner };
    case 'NameReleased':
      return initialName;
    default:
      return unreachable(event, 'name event');
  }
};

/** How names are compared: composed (NFKC), lower case, outer spaces gone, inner ones single. */
export const foldName = (name: string): string => name.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ');

/** Id of the aggregate that guards `name` among all things of `kind` (`task`, `node`, `target`, `user`, ...). */
export const nameId = (kind: string, name: string): string => derivedId('name', kind, foldName(name));
