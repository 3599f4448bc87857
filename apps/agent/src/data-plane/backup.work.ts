import type { BackupSpecification } from '#contracts';
import { type Clock, fault } from '#kernel';
import { type BackupResult, ensureWriterIdentity, importKnownChunks, runBackup } from '#repository';
import { filesSource } from '#sources';
import type { WorkOrder, WorkResult } from './data-plane.port.ts';
import type { GrantedObjects } from './granted-objects.ts';
import type { ParentLink } from './parent-link.ts';
import { progressSender } from './progress.ts';

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

const identityFor = async (cacheDir: string, repositoryId: string | undefined) => {
  const identity = await ensureWriterIdentity(cacheDir);
  if (repositoryId !== undefined && identity.repositoryId !== repositoryId) {
    throw fault('refused', 'id-key-lost', 'This state directory does not hold the id key of the node\'s repository; bring the state directory back, or let the node begin a new repository');
  }
  return identity;
};

const explanation = (faultCount: number): Pick<WorkResult, 'code' | 'detail'> => ({
  code: 'sources-unreadable', detail: `${faultCount} entries could not be read completely; the snapshot holds everything else`,
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
  const identity = await identityFor(order.cacheDir, repository.id);
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
  });
  for (const fault of made.faults.slice(0, 100)) link.say({ type: 'log', level: 'warn', text: `${fault.code} ${fault.path}: ${fault.detail}` });
  return resultOf(made);
};
