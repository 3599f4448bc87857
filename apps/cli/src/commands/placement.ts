import { fault } from '#kernel';
import { secondsOf } from './length-of-time.ts';

/** Flags that say where a task runs. */
export interface PlacementFlags {
  /** Names or ids. */
  readonly node?: readonly string[];
  /** `key=value[,key=value]`. */
  readonly selector?: string;
  readonly place?: string;
  readonly offline?: string;
  /** A length of time. */
  readonly wait?: string;
}

/** Labels written as `key=value[,key=value]`; throws `selector-invalid`. */
export const labelsOf = (text: string): Record<string, string> => Object.fromEntries(text.split(',').map((part) => {
  const [key = '', ...value] = part.split('=');
  if (key.trim() === '' || value.length === 0) throw fault('validation', 'selector-invalid', `"${part}" is not key=value; write --selector site=vienna,tier=db`);
  return [key.trim(), value.join('=').trim()];
}));

/** The fields of a task that the flags ask for, but for nodes that are named. */
export const placementFlags = ({ node, selector, place, offline, wait }: PlacementFlags): object => {
  if (node !== undefined && selector !== undefined) throw fault('validation', 'selector-invalid', 'Give --node or --selector, not both');
  return {
    ...(offline === undefined ? {} : { offline }),
    ...(selector === undefined ? {} : { selector: labelsOf(selector) }),
    ...(place === undefined ? {} : { place }),
    ...(wait === undefined ? {} : { waitSeconds: secondsOf(wait) }),
  };
};
