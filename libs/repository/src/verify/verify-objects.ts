import type { ObjectReader } from '#storage';
import type { NamedObject, ObjectListing } from '../catalog/list-objects.ts';
import { damaged } from '../format/damage.ts';
import { hashOfName, repositoryFile } from '../format/names.ts';
import { readObject } from '../format/read-object.ts';
import { decodeRepositoryFile } from '../format/repository-file.ts';
import { parseSnapshot } from '../format/snapshot.ts';
import { readWhole } from '../restore/open-snapshot.ts';
import type { ListedSnapshot } from '../snapshots/list-snapshots.ts';
import type { Findings } from './findings.ts';

/**
 * `repository.json`: nothing in a snapshot depends on it, but no writer goes on without it. Its name holds no hash, so it is compared with
 * what the snapshots say of their repository, or where there is none with the wrappings of the id key.
 */
export const checkRepositoryFile = async (
  findings: Findings, reader: ObjectReader, { snapshots, listing, signal }: { readonly snapshots: readonly ListedSnapshot[]; readonly listing: ObjectListing; readonly signal?: AbortSignal },
): Promise<void> => {
  try {
    const { repository, idKey } = decodeRepositoryFile(await readObject(reader, repositoryFile, signal));
    const isOwn = snapshots.length === 0
      ? listing.kinds['id-key'].some(({ parsed }) => parsed.id === idKey)
      : snapshots.some(({ header }) => header.repository === repository && header.idKey === idKey);
    if (!isOwn) throw damaged('repository-damaged', 'repository.json is damaged: it names another repository or id key than what lies beside it');
  } catch (error) {
    signal?.throwIfAborted();
    findings.thrown(repositoryFile, error);
  }
};

/** Reads all snapshot objects; one that is damaged or out of reach is a finding that costs all of it. */
export const readSnapshots = async (
  findings: Findings, reader: ObjectReader, listing: ObjectListing, options: { readonly wanted?: ReadonlySet<string>; readonly signal?: AbortSignal },
): Promise<ListedSnapshot[]> => {
  const { wanted, signal } = options;
  const read: ListedSnapshot[] = [];
  for (const { name, size, parsed } of listing.kinds.snapshot) {
    if (wanted && !wanted.has(parsed.id)) continue;
    try {
      const { header } = parseSnapshot(await readWhole(reader, name, signal));
      if (header.snapshot !== parsed.id) throw damaged('snapshot-damaged', 'A snapshot is damaged: it lies under the name of another');
      read.push({ name, size, header });
    } catch (error) {
      signal?.throwIfAborted();
      findings.lose(findings.thrown(name, error), { snapshot: parsed.id, whole: true });
    }
  }
  return read;
};

/** Reads objects whole and reports those whose bytes are not what the name says. Returns the bytes read. */
export const checkHashes = async (
  findings: Findings, reader: ObjectReader, objects: readonly NamedObject[], signal?: AbortSignal,
): Promise<number> => {
  let bytes = 0;
  for (const { name } of objects) {
    try {
      bytes += (await readWhole(reader, name, signal)).length;
    } catch (error) {
      signal?.throwIfAborted();
      findings.thrown(name, error);
    }
  }
  return bytes;
};

/** Compares the storage's own SHA-256 with the names; gives up at the first answer without one: that storage keeps none. */
export const checkStoredHashes = async (
  findings: Findings, reader: ObjectReader, objects: readonly NamedObject[], signal?: AbortSignal,
): Promise<void> => {
  for (const { name, size } of objects) {
    try {
      const info = await reader.head(name, signal ? { signal } : {});
      if (!info) findings.add(name, { kind: 'missing', code: 'object-not-found', detail: `${name} is listed and not there` });
      else if (info.size !== size) findings.add(name, { kind: 'damaged', code: 'object-damaged', detail: `${name} has another size than it is listed with` });
      else if (!info.sha256) return;
      else if (!hashOfName(name).equals(info.sha256)) findings.add(name, { kind: 'damaged', code: 'object-damaged', detail: `The storage keeps another hash of ${name} than its name promises` });
    } catch (error) {
      signal?.throwIfAborted();
      findings.thrown(name, error);
    }
  }
};
