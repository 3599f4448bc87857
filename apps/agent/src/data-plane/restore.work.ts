import type { RestoreSpecification } from '#contracts';
import { type RestoreResult, handedKeys, openSealedKeys, runRestore } from '#repository';
import type { WorkTools } from './backup.work.ts';
import type { WorkOrder, WorkResult } from './data-plane.port.ts';
import type { ParentLink } from './parent-link.ts';
import { noteSender, progressSender } from './progress.ts';

/** Names of the packs that may hold chunks of the snapshot, page by page. */
async function* packNames(link: ParentLink): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    const page = await link.packs(after);
    yield* page.names;
    after = page.names.at(-1);
    if (!page.more || after === undefined) return;
  }
}

/** A path as the specification says it (absolute or not), relative to `/`, as bytes. */
const relativePath = (path: string): Buffer => Buffer.from(path.replace(/^\/+|\/+$/g, ''), 'utf8');

const resultOf = (made: RestoreResult): WorkResult => {
  const { files, directories, others, bytes, fetchedBytes } = made.statistics;
  return {
    outcome: made.outcome,
    ...made.reason,
    statistics: { files, directories, others, bytes, filesRead: files, bytesRead: fetchedBytes, addedBytes: 0, storedBytes: 0 },
    faults: [...made.faults],
    faultCount: made.faultCount,
    phases: { ...made.phases },
  };
};

/** Puts a snapshot, or a part of it, onto this host. */
export const restoreWork = async (order: WorkOrder, specification: RestoreSpecification, tools: WorkTools): Promise<WorkResult> => {
  const { link, objects, clock, signal } = tools;
  const keys = handedKeys(await openSealedKeys(Buffer.from(specification.sealedKeys, 'base64'), order.ageIdentity));
  const path = specification.path === undefined ? undefined : relativePath(specification.path);
  const made = await runRestore({
    reader: objects.reader,
    keys,
    snapshotObject: specification.snapshotObject,
    packs: packNames(link),
    ...(path === undefined || path.length === 0 ? {} : { path }),
    destination: specification.destination,
    mode: specification.mode,
    dryRun: specification.dryRun,
    deleteExtraneous: specification.deleteExtraneous,
    signal,
    onProgress: progressSender(link, clock),
    onNote: noteSender(link),
  });
  const { skipped, deleted } = made.statistics;
  link.say({ type: 'log', level: 'info', text: `${skipped} entries left as they were, ${deleted} removed${specification.dryRun ? ' (dry run: nothing was changed)' : ''}` });
  for (const item of made.faults.slice(0, 100)) link.say({ type: 'log', level: 'warn', text: `${item.code} ${item.path}: ${item.detail}` });
  return resultOf(made);
};
