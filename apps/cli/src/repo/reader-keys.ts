import { readFileSync } from 'node:fs';
import { fault, messageOf } from '#kernel';
import { identityKeys, type KeyRing, type ListedSnapshot, listSnapshots, parseIdentityFile, readRepository } from '#repository';
import type { ObjectStore } from '#storage';
import type { Output } from '../output.ts';

/** The keys that the identities in a file open. Throws `identity-unreadable` or `identity-malformed`. */
export const keysOfFile = (store: ObjectStore, path: string): KeyRing => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw fault('validation', 'identity-unreadable', `The identity file ${path} cannot be read`);
  }
  return identityKeys(store, parseIdentityFile(text));
};

/** `<snapshot>[:<path>]` taken apart; the path without slashes at its ends, as raw bytes. Throws `selection-malformed`. */
export const parseSelection = (text: string): { readonly snapshot: string; readonly path?: Buffer } => {
  const [snapshot = '', ...rest] = text.split(':');
  const path = rest.join(':').replace(/^\/+|\/+$/g, '');
  if (snapshot === '' || (path !== '' && path.split('/').some((name) => ['', '.', '..'].includes(name)))) {
    throw fault('validation', 'selection-malformed', 'Say which snapshot, and which path in it without "." and "..": latest, or latest:etc/hosts');
  }
  return path === '' ? { snapshot } : { snapshot, path: Buffer.from(path, 'utf8') };
};

/**
 * The snapshots in `--repository`, oldest first; those that cannot be read are said. Throws `repository-not-found` where there is neither
 * a snapshot nor a description: with a snapshot, what else is missing is no reason to stop.
 */
export const snapshotsOf = async (store: ObjectStore, { repository, output }: { readonly repository: string; readonly output: Output }): Promise<ListedSnapshot[]> => {
  let damaged = 0;
  const found = await listSnapshots(store, (name, error) => {
    damaged++;
    output.note(`${name}: ${messageOf(error)}`);
  });
  if (found.length + damaged === 0) await requireRepository(store, repository);
  return found;
};

/** Throws `repository-not-found`. */
export const requireRepository = async (store: ObjectStore, repository: string): Promise<void> => {
  if (!(await readRepository(store))) throw fault('not-found', 'repository-not-found', `There is no repository in ${repository}; make one with: holdfast repo init`);
};
