import { readdirSync } from 'node:fs';
import { isAppError } from '#kernel';
import { fsStore } from '#storage';
import { identityKeys } from '../keys/key-ring.ts';
import { packNames } from '../snapshots/list-snapshots.ts';
import { runRestore } from './run-restore.ts';

/**
 * A program for tests: restores as its arguments say, and prints the result or the error and what is there then. A
 * process of its own can have a destination that nobody else sees.
 */
const [destination = '', repository = '', snapshotObject = '', identity = '', path = ''] = process.argv.slice(2);
const store = fsStore(repository);
const said = await runRestore({
  reader: store, keys: identityKeys(store, [identity]), snapshotObject, packs: packNames(store), destination, mode: 'if-changed', path: Buffer.from(path), limits: { workers: 1 },
}).catch((error: unknown) => {
  if (!isAppError(error)) throw error;
  return { code: error.code, kind: error.kind, detail: error.detail };
});
process.stdout.write(JSON.stringify({ ...said, names: readdirSync(destination) }));
