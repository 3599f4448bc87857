import { fault } from '#kernel';
import { frameCipher } from '../format/frame.ts';
import type { AttemptKeys, Subkeys } from '../format/keys.ts';
import { type ChunkClass, formatVersion, frameClass, limits } from '../format/limits.ts';
import { type Reference, referenceKind } from '../format/refs.ts';
import { encodeCatalogSection, encodeDataSection, type ManifestPart, type SectionBody } from '../format/sections.ts';
import { encodeSnapshot, type SnapshotHeader } from '../format/snapshot.ts';
import type { BackupOptions } from './backup-options.ts';
import type { ContentPool } from './content-pool.ts';

/** A section beyond 256 KiB becomes chunks of its class of 256 KiB each. */
const sectionBody = async (pool: ContentPool, chunkClass: ChunkClass, plain: Buffer): Promise<SectionBody> => {
  if (plain.length <= limits.sectionBytes) return { form: 'inline', plain };
  if (plain.length > limits.sectionTotalBytes) throw fault('refused', 'snapshot-too-large', 'These are more files than one snapshot can hold; make several tasks of it');
  const references: Promise<Reference>[] = [];
  for (let at = 0; at < plain.length; at += limits.sectionBytes) {
    const piece = plain.subarray(at, at + limits.sectionBytes);
    const { id } = await pool.chunk(chunkClass, piece);
    references.push(id.then((named) => ({ kind: referenceKind.chunk, id: named, length: piece.length })));
  }
  return { form: 'chunks', references: await Promise.all(references) };
};

/** The sections of a snapshot, their chunks handed to the pool. */
export interface SnapshotSections {
  readonly catalog: SectionBody;
  readonly data: SectionBody;
}

/** Makes the sections; what they refer to is stored when the pool has finished. */
export const makeSections = async (
  pool: ContentPool, options: BackupOptions, manifest: { readonly parts: readonly ManifestPart[]; readonly index: readonly Buffer[] },
  statistics: Readonly<Record<string, number>>,
): Promise<SnapshotSections> => {
  const { taskId: id, taskName: name } = options.subject;
  const data = encodeDataSection({
    task: name === undefined ? { id } : { id, name }, source: options.source.description, statistics, index: manifest.index,
  });
  const dataBody = await sectionBody(pool, frameClass.data, data);
  const catalog = encodeCatalogSection(manifest.parts, dataBody.form === 'chunks' ? dataBody.references : []);
  return { catalog: await sectionBody(pool, frameClass.catalog, catalog), data: dataBody };
};

/** The whole snapshot object. */
export const sealSnapshot = (options: BackupOptions, sections: SnapshotSections, keys: AttemptKeys, subkeys: Subkeys): Buffer => {
  const { subject, repository } = options;
  const { repositoryId, idKey } = repository.identity;
  const header: SnapshotHeader = {
    format: formatVersion, requires: [], repository: repositoryId, snapshot: subject.snapshotId, task: subject.taskId,
    ...(subject.runId === undefined ? {} : { run: subject.runId }), ...(subject.attempt === undefined ? {} : { attempt: subject.attempt }),
    time: subject.time, ...(subject.previousSnapshot === undefined ? {} : { previous: subject.previousSnapshot }),
    idKey: idKey.id, dataKey: keys.data.id, catalogKey: keys.catalog.id,
  };
  return encodeSnapshot(header, sections, {
    catalog: frameCipher(repositoryId, keys.catalog), data: frameCipher(repositoryId, keys.data), macKey: subkeys.snapshot,
  });
};
