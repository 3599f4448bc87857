/** A number with the word for what it counts: `1 file`, `2 files`; `many` where that is not the word and an s. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** The first `most` names and how many more there are: `a, b and 3 more`. */
export const someOf = (names: readonly string[], most = 5): string => {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
};
