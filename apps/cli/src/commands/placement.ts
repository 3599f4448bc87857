import { fault } from '#kernel';

/** Flags that say where a task runs. */
export interface PlacementFlags {
  readonly node?: string;
  /** `key=value[,key=value]`. */
  readonly selector?: string;
  readonly place?: string;
  readonly offline: string;
  /** Seconds. */
  readonly wait?: string;
}

/** Labels written as `key=value[,key=value]`; throws `selector-invalid`. */
export const labelsOf = (text: string): Record<string, string> => Object.fromEntries(text.split(',').map((part) => {
  const [key = '', ...value] = part.split('=');
  if (key.trim() === '' || value.length === 0) throw fault('validation', 'selector-invalid', `"${part}" is not key=value; write --selector site=vienna,tier=db`);
  return [key.trim(), value.join('=').trim()];
}));

/** The fields of a task that the flags ask for, but for a node that is named. */
export const placementFlags = ({ node, selector, place, offline, wait }: PlacementFlags): object => {
  if (node !== undefined && selector !== undefined) throw fault('validation', 'selector-invalid', 'Give --node or --selector, not both');
  if (wait !== undefined && !/^\d{1,7}$/.test(wait)) throw fault('validation', 'wait-invalid', `--wait ${wait} is no number of seconds`);
  return {
    offline,
    ...(selector === undefined ? {} : { selector: labelsOf(selector) }),
    ...(place === undefined ? {} : { place }),
    ...(wait === undefined ? {} : { waitSeconds: Number(wait) }),
  };
};
