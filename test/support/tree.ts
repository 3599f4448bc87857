import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A small tree with something in it that no other tree has; returns its path. */
export const smallTree = (tree: string): string => {
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'small'), 'small');
  writeFileSync(join(tree, 'random'), randomBytes(3_000_000));
  writeFileSync(join(tree, 'sub', 'text'), 'one line more\n'.repeat(20_000));
  return tree;
};

const islandsOf = (tree: string, number: number): string => join(tree, 'islands', String(number));
/** Bytes from one island to the next, and of one. */
const [apart, island] = [512 * 1024, Buffer.alloc(4096, 'island')];

const writeIslands = (file: string): void => {
  const fd = openSync(file, 'w');
  for (let at = 0; at < 1024 ** 3; at += apart) writeSync(fd, island, 0, island.length, at);
  ftruncateSync(fd, 1024 ** 3);
  closeSync(fd);
};

/**
 * A tree whose backup takes some seconds, each time anew after `stirIslands`: `solid` with a few packs of random bytes, and `islands`
 * with large files that cost little disk, but are nowhere empty enough to be passed over.
 * @param gibibytes of islands: about a second each on an idle machine.
 */
export const slowTree = (tree: string, gibibytes: number): string => {
  smallTree(join(tree, 'solid'));
  mkdirSync(join(tree, 'islands'));
  for (let i = 0; i < 6; i++) writeFileSync(join(tree, 'solid', `pack-${i}`), randomBytes(12_000_000));
  for (let i = 0; i < gibibytes; i++) writeIslands(islandsOf(tree, i));
  return tree;
};

/** Changes every file of islands a little, so that the next backup reads it again. */
export const stirIslands = (tree: string): void => {
  for (const name of readdirSync(join(tree, 'islands'))) appendFileSync(join(tree, 'islands', name), 'x');
};
