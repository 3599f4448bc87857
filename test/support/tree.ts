import { randomBytes } from 'node:crypto';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A small tree with something in it that no other tree has; returns its path. */
export const smallTree = (tree: string): string => {
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'small'), 'small');
  writeFileSync(join(tree, 'random'), randomBytes(3_000_000));
  writeFileSync(join(tree, 'sub', 'text'), 'one line more\n'.repeat(20_000));
  return tree;
};

/**
 * A tree whose backup takes some seconds: a few packs of random bytes, and holes, which cost no disk but have to be read.
 * @param gibibytes of holes: about a second each.
 */
export const slowTree = (tree: string, gibibytes: number): string => {
  smallTree(tree);
  for (let i = 0; i < 6; i++) writeFileSync(join(tree, `pack-${i}`), randomBytes(12_000_000));
  for (let i = 0; i < gibibytes; i++) {
    writeFileSync(join(tree, `zz-holes-${i}`), `${i}`);
    truncateSync(join(tree, `zz-holes-${i}`), 1024 ** 3);
  }
  return tree;
};
