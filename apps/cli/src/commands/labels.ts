import { fault } from '#kernel';

/** `key=value` sets a label, `key-` takes it away. */
export const labelsAfter = (before: Readonly<Record<string, string>>, words: readonly string[]): Record<string, string> => {
  const labels = new Map(Object.entries(before));
  for (const word of words) {
    const at = word.indexOf('=');
    if (at > 0) labels.set(word.slice(0, at), word.slice(at + 1));
    else if (at < 0 && word.length > 1 && word.endsWith('-')) labels.delete(word.slice(0, -1));
    else throw fault('validation', 'label-invalid', `${word} is no label; write key=value to set one and key- to take one away`);
  }
  return Object.fromEntries(labels);
};
