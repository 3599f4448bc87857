import type { CallOptions, ObjectInfo, ObjectLister } from '#storage';
import { type ObjectKind, parseObjectName, type ParsedName, repositoryFile } from '../format/names.ts';

/** An object of the format. */
export interface NamedObject extends ObjectInfo {
  readonly parsed: ParsedName;
}

/** Everything in a repository, by kind, in byte order of the names. */
export interface ObjectListing {
  readonly kinds: Readonly<Record<ObjectKind, readonly NamedObject[]>>;
  /** Size of `repository.json`; undefined when it is not there. */
  readonly repositoryFile: number | undefined;
  /** Names that are not of the format. */
  readonly strangers: readonly string[];
}

/** Wrapped keys by `<class> <key id>`. */
export type ListingByKey = ReadonlyMap<string, readonly NamedObject[]>;

/** Lists a repository once. */
export const listObjects = async (store: ObjectLister, options: CallOptions = {}): Promise<ObjectListing> => {
  const kinds: Record<ObjectKind, NamedObject[]> = {
    'id-key': [], 'data-key': [], 'catalog-key': [], pack: [], index: [], 'key-bundle': [], snapshot: [],
  };
  const strangers: string[] = [];
  let description: number | undefined;
  for await (const info of store.list('', options)) {
    const parsed = parseObjectName(info.name);
    if (parsed) kinds[parsed.kind].push({ ...info, parsed });
    else if (info.name === repositoryFile) description = info.size;
    else strangers.push(info.name);
  }
  return { kinds, repositoryFile: description, strangers };
};
