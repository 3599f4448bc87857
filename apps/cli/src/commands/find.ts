import { fault } from '#kernel';

/** Anything a person names by id, by the beginning of its id, or by name. */
export interface Named {
  readonly id: string;
  readonly name?: string;
}

/** The one of `items` that `text` means; throws `...-not-found` or `...-ambiguous`. */
export const findOne = <T extends Named>(items: readonly T[], text: string, what: string): T => {
  const exact = items.find((item) => item.id === text || item.name === text);
  if (exact) return exact;
  // Nothing, and what all ids begin with, is the beginning of no id: `rm "$UNSET"` must not find the only one.
  const beginning = text.replace(/^[a-z]+_/, '');
  const found = beginning === '' ? [] : items.filter(({ id }) => (beginning === text ? id.slice(id.indexOf('_') + 1) : id).startsWith(text));
  if (found.length > 1) throw fault('validation', `${what}-ambiguous`, `${text} is the beginning of ${found.length} ids; give more of it`);
  const [only] = found;
  if (!only) throw fault('not-found', `${what}-not-found`, `There is no ${what} ${text === '' ? 'without a name' : text}; list them with holdfast ${what}s ls`);
  return only;
};
