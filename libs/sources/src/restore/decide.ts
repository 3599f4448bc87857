import type { EntryType } from '../source.port.ts';
import type { RestoreEntry, RestoreMode } from '../restore.port.ts';
import { sameTime } from './times.ts';

/** What stands where an entry wants to go. */
export interface Existing {
  readonly type: EntryType;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly inode: bigint;
  readonly device: bigint;
}

/**
 * Whether an entry is made, given what is there: `keep` leaves it, `adopt` takes an existing directory as the entry's own (its facts
 * are set at the end), `blocked` is a directory where something else should be, which is never removed for that.
 */
export type Decision = 'make' | 'replace' | 'keep' | 'adopt' | 'blocked';

/** Pure. `if-changed` trusts size and modification time of files; of other types a different type is a change, the same is made anew. */
export const decide = (mode: RestoreMode, entry: RestoreEntry, existing: Existing | undefined): Decision => {
  if (!existing) return 'make';
  if (entry.type === 'directory' && existing.type === 'directory') return wants(mode, entry, existing) ? 'adopt' : 'keep';
  if (!wants(mode, entry, existing)) return 'keep';
  return existing.type === 'directory' ? 'blocked' : 'replace';
};

const wants = (mode: RestoreMode, entry: RestoreEntry, existing: Existing): boolean => {
  switch (mode) {
    case 'always': return true;
    case 'never': return false;
    case 'if-newer': return entry.mtimeNs > existing.mtimeNs && !sameTime(entry.mtimeNs, existing.mtimeNs);
    case 'if-changed':
      return entry.type !== 'file' || existing.type !== 'file' || entry.size !== existing.size || !sameTime(entry.mtimeNs, existing.mtimeNs);
  }
};
