import { closeSync, constants, fchmodSync, fchownSync, ftruncateSync, futimesSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { fault } from '#kernel';
import type { ContentWriter, FileTicket } from '../restore.port.ts';
import { assertComplete, attemptAll } from './facts.ts';
import { SafeTree } from './safe-tree.ts';
import { dataRuns } from './sparse.ts';
import { utimesArgument } from './times.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** Files a writer keeps open between pieces. */
const openFiles = 32;

/**
 * The writer of contents below a directory that is open as `rootFd` (see `RestoreWriter.rootFd`); one for each thread. Blocks of zeros
 * are left out, so that sparse files stay sparse (zeros that took space no longer do).
 */
export const contentWriter = (rootFd: number): ContentWriter => {
  const tree = new SafeTree(rootFd);
  const files = new Map<number, number>();

  const opened = (ticket: FileTicket): number => {
    const known = files.get(ticket.id);
    if (known !== undefined) return known;
    const fd = openSync(tree.at(ticket.directory, ticket.stagedAs), O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
    files.set(ticket.id, fd);
    if (files.size > openFiles) forget(files.keys().next().value as number);
    return fd;
  };
  const forget = (id: number): void => {
    const fd = files.get(id);
    files.delete(id);
    if (fd !== undefined) closeSync(fd);
  };
  const discard = (ticket: FileTicket): void => {
    forget(ticket.id);
    unlinkSync(tree.at(ticket.directory, ticket.stagedAs));
  };

  return {
    writeAll: (ticket, pieces) => writeAll(tree, ticket, pieces),
    write(ticket, bytes, position) {
      if (position < 0 || position + bytes.length > ticket.size) {
        throw fault('internal', 'restored-size-wrong', `A piece ends at ${position + bytes.length}, beyond the ${ticket.size} bytes of the file`);
      }
      writeRuns(opened(ticket), bytes, position, 0);
    },
    complete(ticket) {
      const fd = opened(ticket);
      let missing: readonly unknown[];
      try {
        ftruncateSync(fd, ticket.size);
        missing = applyFacts(fd, ticket);
      } finally {
        forget(ticket.id);
      }
      reveal(tree, ticket);
      assertComplete(missing);
    },
    discard,
    close() {
      for (const id of [...files.keys()]) forget(id);
      tree.close();
    },
  };
};

const writeAll = (tree: SafeTree, ticket: FileTicket, pieces: readonly Uint8Array[]): void => {
  const fd = openSync(tree.at(ticket.directory, ticket.stagedAs), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  let missing: readonly unknown[];
  try {
    let position = 0;
    let written = 0;
    for (const piece of pieces) {
      written = writeRuns(fd, piece, position, written);
      position += piece.length;
    }
    if (position !== ticket.size) throw fault('internal', 'restored-size-wrong', `The content has ${position} bytes instead of ${ticket.size}`);
    if (written !== position) ftruncateSync(fd, position);
    missing = applyFacts(fd, ticket);
  } finally {
    closeSync(fd);
  }
  reveal(tree, ticket);
  assertComplete(missing);
};

/** Writes what is not a hole; returns the end of the last byte written, or `end` where nothing was. */
const writeRuns = (fd: number, bytes: Uint8Array, position: number, end: number): number => {
  let last = end;
  for (const run of dataRuns(bytes, position)) {
    for (let at = run.start; at < run.end;) at += writeSync(fd, bytes, at, run.end - at, position + at);
    last = position + run.end;
  }
  return last;
};

/** Owner before mode, as a change of owner clears the set-uid bits; times last. Returns what could not be set. */
const applyFacts = (fd: number, ticket: FileTicket): readonly unknown[] => {
  const { owner } = ticket;
  const time = utimesArgument(ticket.mtimeNs);
  return attemptAll([
    () => owner && fchownSync(fd, owner.uid, owner.gid),
    () => ticket.modeLater || fchmodSync(fd, ticket.mode),
    () => futimesSync(fd, time, time),
  ]);
};

/** Gives the whole file its name, in place of whatever had it. */
const reveal = (tree: SafeTree, ticket: FileTicket): void => {
  if (ticket.stagedAs === ticket.name) return;
  renameSync(tree.at(ticket.directory, ticket.stagedAs), tree.at(ticket.directory, ticket.name));
};
