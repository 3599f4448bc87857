import { readFileSync } from 'node:fs';
import { fault } from '#kernel';
import { identityKeys, type KeyRing, parseIdentityFile } from '#repository';
import type { ObjectStore } from '#storage';

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

/** `<snapshot>[:<path>]` taken apart; the path without slashes at its ends, as raw bytes. */
export const parseSelection = (text: string): { readonly snapshot: string; readonly path?: Buffer } => {
  const colon = text.indexOf(':');
  if (colon < 0) return { snapshot: text };
  const path = text.slice(colon + 1).replace(/^\/+|\/+$/g, '');
  return path === '' ? { snapshot: text.slice(0, colon) } : { snapshot: text.slice(0, colon), path: Buffer.from(path, 'utf8') };
};
