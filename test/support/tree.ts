import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A small tree with something in it that no other tree has; returns its path. */
export const smallTree = (tree: string): string => {
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'small'), 'small');
  writeFileSync(join(tree, 'random'), randomBytes(3_000_000));
  writeFileSync(join(tree, 'sub', 'text'), 'one line more\n'.repeat(20_000));
  return tree;
};

const holesOf = (tree: string, number: number): string => join(tree, 'holes', String(number));

/**
 * A tree whose backup takes some seconds, each time anew after `stirHoles`: `solid` with a few packs of random bytes, and `holes`,
 * which cost no disk but have to be read.
 * @param gibibytes of holes: about a second each on an idle machine.
 */
export const slowTree = (tree: string, gibibytes: number): string => {
  smallTree(join(tree, 'solid'));
  mkdirSync(join(tree, 'holes'));
  for (let i = 0; i < 6; i++) writeFileSync(join(tree, 'solid', `pack-${i}`), randomBytes(12_000_000));
  for (let i = 0; i < gibibytes; i++) {
    writeFileSync(holesOf(tree, i), '');
    truncateSync(holesOf(tree, i), 1024 ** 3);
  }
  return tree;
};

/** Changes every file of holes a little, so that the next backup reads it again. */
export const stirHoles = (tree: string): void => {
  for (const name of readdirSync(join(tree, 'holes'))) appendFileSync(join(tree, 'holes', name), 'x');
};
