import { expect, it } from 'vitest';
import type { RestoreEntry, RestoreMode } from '../restore.port.ts';
import type { EntryType } from '../source.port.ts';
import { type Decision, type Existing, decide } from './decide.ts';

const entry = (type: EntryType): RestoreEntry =>
  ({ path: Buffer.from('p'), type, mode: 0, uid: 0, gid: 0, size: 1, mtimeNs: 5000n, inode: 1n, device: 1n, links: 1 });
const existing = (type: EntryType, mtimeNs = 5000n, size = 1): Existing => ({ type, size, mtimeNs, inode: 1n, device: 1n });

it.each<[RestoreMode, EntryType, Existing | undefined, Decision]>([
  ['always', 'file', undefined, 'make'],
  ['never', 'file', undefined, 'make'],
  ['always', 'file', existing('file'), 'replace'],
  ['always', 'file', existing('symlink'), 'replace'],
  ['always', 'file', existing('directory'), 'blocked'],
  ['always', 'directory', existing('directory'), 'adopt'],
  ['always', 'directory', existing('symlink'), 'replace'],
  ['never', 'directory', existing('directory'), 'keep'],
  ['never', 'directory', existing('symlink'), 'keep'],
  ['never', 'file', existing('directory'), 'keep'],
  ['if-changed', 'file', existing('file'), 'keep'],
  ['if-changed', 'file', existing('file', 6000n), 'keep'], // Within what Node can set.
  ['if-changed', 'file', existing('file', 6001n), 'replace'],
  ['if-changed', 'file', existing('file', 5000n, 2), 'replace'],
  ['if-changed', 'file', existing('fifo'), 'replace'],
  ['if-changed', 'symlink', existing('symlink'), 'replace'],
  ['if-changed', 'directory', existing('directory'), 'adopt'],
  ['if-newer', 'file', existing('file', 3999n), 'replace'],
  ['if-newer', 'file', existing('file', 4000n), 'keep'],
  ['if-newer', 'file', existing('file', 9_000_000n, 2), 'keep'],
])('%s: a %s over %o: %s', (mode, type, there, decision) => {
  expect(decide(mode, entry(type), there)).toBe(decision);
});
