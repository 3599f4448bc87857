import { linkSync, renameSync } from 'node:fs';
import type { FileTicket, RestoreEntry } from '../restore.port.ts';
import type { Decision } from './decide.ts';
import type { Placer } from './placer.ts';
import type { SafePath } from './safe-path.ts';
import type { SafeTree } from './safe-tree.ts';

interface FirstName {
  readonly at: SafePath;
  /** Set while the content of the first name is still to be written. */
  ticket?: number;
  failed: boolean;
}

interface FurtherName {
  readonly first: FirstName;
  readonly at: SafePath;
  readonly source: Buffer;
  readonly decision: Decision;
}

/** The hard-link groups of a restore: the first name that is restored holds the content, the others are linked to it at the end. */
export class HardLinks {
  private readonly groups = new Map<string, FirstName>();
  private readonly byTicket = new Map<number, FirstName>();
  private readonly further: FurtherName[] = [];

  /** How many further names there are. */
  get count(): number {
    return this.further.length;
  }

  /** The first name of this entry's group, when there is one already. */
  firstOf(entry: RestoreEntry): FirstName | undefined {
    return entry.links > 1 ? this.groups.get(groupOf(entry)) : undefined;
  }

  /** Remembers the first name; `ticket` when its content is still to come. */
  begin(entry: RestoreEntry, at: SafePath, ticket?: FileTicket): void {
    if (entry.links < 2) return;
    const first: FirstName = { at, failed: false, ...(ticket ? { ticket: ticket.id } : undefined) };
    this.groups.set(groupOf(entry), first);
    if (ticket) this.byTicket.set(ticket.id, first);
  }

  /** A further name, to be made by `make`. */
  add(first: FirstName, at: SafePath, source: Buffer, decision: Decision): void {
    this.further.push({ first, at, source, decision });
  }

  /** The content of a first name could not be written: neither can its links. */
  failed(ticket: FileTicket): void {
    const first = this.byTicket.get(ticket.id);
    if (first) first.failed = true;
  }

  /** Makes the further names, and returns how many; those that exist already as links to the same file count as made. */
  make(tree: SafeTree, placer: Placer, failed: (path: Buffer, error: unknown) => void): number {
    let made = 0;
    for (const { first, at, source, decision } of this.further) {
      try {
        if (first.failed) throw new Error('the file it is a link to could not be restored');
        link(tree, placer, { from: first.at, at, decision });
        made++;
      } catch (error) {
        failed(source, error);
      }
    }
    return made;
  }
}

const link = (tree: SafeTree, placer: Placer, job: { from: SafePath; at: SafePath; decision: Decision }): void => {
  const { from, at } = job;
  if (job.decision === 'replace') {
    const target = placer.existing(from);
    const present = placer.existing(at);
    // rename() of two names of one file does nothing, and would leave the staged name behind.
    if (target && present && target.inode === present.inode && target.device === present.device) return;
  }
  const staged = job.decision === 'replace' ? placer.stagedName(at) : at.name;
  // link() does not follow a link in the place of the first name; it would only be linked itself.
  linkSync(tree.at(from.directory, from.name), tree.at(at.directory, staged));
  if (staged !== at.name) renameSync(tree.at(at.directory, staged), tree.at(at.directory, at.name));
};

const groupOf = (entry: RestoreEntry): string => `${entry.device}:${entry.inode}`;
