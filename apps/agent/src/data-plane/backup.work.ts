import type { BackupSpecification } from '#contracts';
import { type Clock, counted, fault } from '#kernel';
import {
  type BackupResult, type Key, type WriterIdentity, adoptWriterIdentity, ensureWriterIdentity, importKnownChunks, openSealedKeys, readWriterIdentity, runBackup,
} from '#repository';
import { filesSource } from '#sources';
import type { WorkOrder, WorkResult } from './data-plane.port.ts';
import type { GrantedObjects } from './granted-objects.ts';
import type { ParentLink } from './parent-link.ts';
import { noteSender, progressSender } from './progress.ts';

export interface WorkTools {
  readonly link: ParentLink;
  readonly objects: GrantedObjects;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Ids of the chunks that are in the target already; asked for only when the local cache cannot be used. */
async function* importedKnown({ link, objects }: WorkTools, generation: number): AsyncGenerator<Uint8Array> {
  const known = await link.knownChunks();
  if (known.generation !== generation || !known.object) return;
  link.say({ type: 'log', level: 'info', text: 'The local cache cannot be used; fetching the list of stored chunks' });
  yield* importKnownChunks(await objects.whole(known.object));
}

/** The id key as the masters hand it back, when the repository has one and they may read it. */
const handedIdKey = async ({ ageIdentity }: WorkOrder, link: ParentLink): Promise<Key | undefined> => {
  const { sealed } = await link.idKey();
  if (sealed === undefined) return undefined;
  const keys = await openSealedKeys(Buffer.from(sealed, 'base64'), ageIdentity);
  return keys.find((entry) => entry.class === 'id')?.key;
};

/** This writer's id key: its own, or the one that a lost state directory took with it; a new one for a repository that nobody has begun. */
const identityFor = async (order: WorkOrder, repositoryId: string | undefined, link: ParentLink): Promise<WriterIdentity> => {
  const own = await readWriterIdentity(order.cacheDir);
  if (own && (repositoryId === undefined || own.repositoryId === repositoryId)) return own;
  const handed = await handedIdKey(order, link);
  if (handed) {
    link.say({ type: 'log', level: 'warn', text: 'This state directory does not hold the id key of the node\'s repository; the masters handed it back' });
    return adoptWriterIdentity(order.cacheDir, handed);
  }
  if (repositoryId === undefined) return own ?? ensureWriterIdentity(order.cacheDir);
  throw fault('refused', 'id-key-lost', 'This state directory does not hold the id key of the node\'s repository, and the masters may not read it; bring the state directory back');
};

const explanation = (faultCount: number): Pick<WorkResult, 'code' | 'detail'> => ({
  code: 'sources-unreadable', detail: `${counted(faultCount, 'entry', 'entries')} could not be read completely; the snapshot holds everything else`,
});

const resultOf = (made: BackupResult): WorkResult => ({
  outcome: made.outcome,
  ...(made.outcome === 'partial' ? explanation(made.faultCount) : {}),
  proposal: {
    id: made.snapshot.id, object: { name: made.snapshot.name, size: made.snapshot.size }, repositoryId: made.repositoryId,
    idKeyId: made.idKeyId, keys: [...made.keys], packs: [...made.packs],
    ...(made.adoptedPacks.length > 0 ? { adoptedPacks: [...made.adoptedPacks] } : {}),
  },
  statistics: made.statistics,
  faults: [...made.faults],
  faultCount: made.faultCount,
  phases: { ...made.phases },
});

/** Makes a snapshot of this host's files. */
export const backupWork = async (order: WorkOrder, specification: BackupSpecification, tools: WorkTools): Promise<WorkResult> => {
  const { link, objects, clock, signal } = tools;
  const { repository, source } = specification;
  if (order.snapshot === undefined) throw fault('internal', 'snapshot-unnamed', 'The claim named no snapshot id; the master must name one for a backup');
  const identity = await identityFor(order, repository.id, link);
  const condemned = repository.condemned === undefined ? undefined : await objects.reader.get(repository.condemned);
  const made = await runBackup({
    writer: objects.writer,
    source: filesSource({
      paths: source.paths,
      ...(source.excludes ? { excludes: source.excludes } : {}),
      ...(source.oneFileSystem === undefined ? {} : { oneFileSystem: source.oneFileSystem }),
      ...(source.excludeCaches === undefined ? {} : { excludeCaches: source.excludeCaches }),
    }),
    repository: {
      identity,
      dataRecipients: repository.dataRecipients,
      catalogRecipients: repository.catalogRecipients,
      create: repository.id === undefined,
      generation: repository.generation,
      ...(condemned === undefined ? {} : { condemned }),
      importedKnown: importedKnown(tools, repository.generation),
    },
    subject: {
      snapshotId: order.snapshot, taskId: specification.task, taskName: specification.taskName, runId: order.run, attempt: order.attempt,
      time: specification.time,
      ...(specification.previousSnapshot === undefined ? {} : { previousSnapshot: specification.previousSnapshot }),
    },
    stateDir: order.cacheDir,
    ...(source.changeDetection ? { changeDetection: source.changeDetection } : {}),
    ...(source.readers === undefined ? {} : { limits: { readers: source.readers } }),
    clock,
    signal,
    onProgress: progressSender(link, clock),
    onNote: noteSender(link),
  });
  for (const fault of made.faults.slice(0, 100)) link.say({ type: 'log', level: 'warn', text: `${fault.code} ${fault.path}: ${fault.detail}` });
  return resultOf(made);
};
