import { type Clock, messageOf } from '#kernel';
import type { PatientCall } from '../browse/patient-calls.ts';
import type { Discoveries, Discovery, DiscoveryNote } from './discovery.ts';
import type { Finder } from './finder.port.ts';
import { LocalHost } from './host-view.ts';
import { mysqlFinder } from './mysql.ts';
import { postgresqlFinder } from './postgresql.ts';
import { saphanaFinder } from './saphana.ts';
import { sqliteFinder } from './sqlite.ts';
import { volumesFinder } from './volumes.ts';

/** A new source of backups adds its own here. */
const finders: readonly Finder[] = [postgresqlFinder, mysqlFinder, saphanaFinder, sqliteFinder, volumesFinder];

/** Milliseconds for all finders together. */
const budgetMs = 5_000;
/** So that the answer fits into a message. */
const [mostFound, mostNotes] = [1_000, 200];

/** What a search needs. */
export interface DiscoverOptions {
  readonly clock: Clock;
  readonly call: PatientCall;
  /** In place of `/`, for tests. */
  readonly root?: string;
}

/**
 * Looks for databases and the like on this host with nothing but the eyes of the agent's user: processes, listening sockets, data
 * directories. Connects to nobody, needs no credential, reads no more of a file than tells what it is.
 */
export const discover = async ({ clock, call, root = '/' }: DiscoverOptions): Promise<Discoveries> => {
  const notes: DiscoveryNote[] = [];
  const deadline = clock.monotonic() + budgetMs;
  const host = new LocalHost({ clock, call, deadline, root, onNote: (note) => { if (notes.length < mostNotes) notes.push(note); } });
  const found: Discovery[] = [];
  for (const finder of finders) {
    if (clock.monotonic() >= deadline) {
      host.note('bounded', `There was no time left to look for ${finder.kind}`);
      continue;
    }
    try {
      found.push(...(await finder.find(host)));
    } catch (error) {
      host.note('finder-failed', `${finder.kind}: ${messageOf(error)}`);
    }
  }
  if (found.length > mostFound) host.note('bounded', `${found.length} things were found; ${mostFound} are told`);
  return { found: found.slice(0, mostFound), notes };
};
