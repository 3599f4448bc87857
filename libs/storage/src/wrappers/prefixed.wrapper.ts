import { checkObjectName } from '../names.ts';
import type { ObjectStore } from '../object-store.port.ts';

/** The part of a store whose names begin with `folder/`, under the names without it: one repository in a target of many. */
export const withPrefix = (store: ObjectStore, folder: string): ObjectStore => {
  const prefix = `${checkObjectName(folder)}/`;
  const full = (name: string): string => prefix + checkObjectName(name);
  const removeLeftovers = store.removeLeftovers?.bind(store);
  return {
    put: (name, body, options) => store.put(full(name), body, options),
    get: (name, range, options) => store.get(full(name), range, options),
    head: async (name, options) => {
      const info = await store.head(full(name), options);
      return info && { ...info, name };
    },
    delete: (name, options) => store.delete(full(name), options),
    list: async function* (names, options) {
      for await (const info of store.list(prefix + names, options)) yield { ...info, name: info.name.slice(prefix.length) };
    },
    ...(removeLeftovers ? { removeLeftovers: (names, before, options) => removeLeftovers(prefix + names, before, options) } : {}),
  };
};
