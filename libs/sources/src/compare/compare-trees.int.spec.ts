import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findTool } from '../tools.ts';
import { compareTrees, type CompareOptions } from './compare-trees.ts';

let scratch: string;
const at = (path: string): string => join(scratch, path);
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'compare-'));
  mkdirSync(at('a/d'), { recursive: true });
  writeFileSync(at('a/d/one'), 'the first file');
  writeFileSync(at('a/d/two'), Buffer.alloc(3 << 20, 'x'));
  linkSync(at('a/d/one'), at('a/d/linked'));
  symlinkSync('one', at('a/d/symlink'));
  execFileSync('mkfifo', [at('a/fifo')]);
  execFileSync('cp', ['-a', at('a'), at('b')]);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const compare = async (options: CompareOptions = {}): Promise<string[]> => {
  const { differences, differenceCount, identical } = await compareTrees(at('a'), at('b'), options);
  expect(identical).toBe(differenceCount === 0);
  return differences.map(({ path, kind }) => `${path.toString()} ${kind}`);
};

/** Changes one thing and puts the time of the file and its directory back, so that only that thing differs. */
const quietly = (change: () => void, path = 'b/d/two'): void => {
  const times = at('a/d/two');
  change();
  execFileSync('touch', ['-h', '-r', times, at(path)]);
  execFileSync('touch', ['-r', at('a/d'), at('b/d')]);
  execFileSync('touch', ['-r', at('a'), at('b')]);
};

it('finds nothing between a tree and its exact copy, and says what it looked at', async () => {
  expect(await compareTrees(at('a'), at('b'))).toMatchObject({
    identical: true, differenceCount: 0, files: 3, directories: 2, others: 2, sockets: 0, bytes: (3 << 20) + 28,
  });
});

it.each<[string, () => void, string[]]>([
  ['one byte of content', () => quietly(() => { writeFileSync(at('b/d/two'), Buffer.concat([Buffer.alloc((3 << 20) - 1, 'x'), Buffer.from('y')])); }), ['d/two content']],
  ['a size', () => quietly(() => appendFileSync(at('b/d/two'), 'x')), ['d/two size']],
  ['a shorter file', () => quietly(() => truncateSync(at('b/d/two'), 0)), ['d/two size']],
  ['a mode', () => quietly(() => chmodSync(at('b/d/two'), 0o600)), ['d/two mode']],
  ['the mode of a directory', () => chmodSync(at('b/d'), 0o711), ['d mode']],
  ['a time', () => utimesSync(at('b/d/two'), 1, 1), ['d/two mtime']],
  ['the time of a directory', () => utimesSync(at('b/d'), 1, 1), ['d mtime']],
  ['a missing file', () => quietly(() => unlinkSync(at('b/d/two')), 'b/d'), ['d/two missing']],
  ['an extra file', () => quietly(() => writeFileSync(at('b/d/more'), '')), ['d/more extra']],
  ['a missing directory', () => renameSync(at('b/d'), at('gone')), ['d missing', 'd/linked missing', 'd/one missing', 'd/symlink missing', 'd/two missing']],
  ['a link target', () => { unlinkSync(at('b/d/symlink')); symlinkSync('two', at('b/d/symlink')); execFileSync('touch', ['-h', '-r', at('a/d/symlink'), at('b/d/symlink')]); quietly(() => undefined); }, ['d/symlink link-target']],
  ['a hard link that became a copy', () => quietly(() => { unlinkSync(at('b/d/linked')); execFileSync('cp', ['-p', at('b/d/one'), at('b/d/linked')]); }), ['d/one hard-links']],
  ['a file that became a hard link', () => {
    for (const tree of ['a', 'b']) writeFileSync(at(`${tree}/d/three`), 'the first file');
    execFileSync('touch', ['-r', at('a/d/one'), at('a/d/three')]);
    quietly(() => { unlinkSync(at('b/d/three')); linkSync(at('b/d/one'), at('b/d/three')); });
  }, ['d/three hard-links']],
])('finds %s', async (_, change, expected) => {
  change();
  expect((await compare()).filter((line) => line !== ' mtime')).toEqual(expected);
});

it.runIf(process.getuid?.() === 0)('finds another owner', async () => {
  quietly(() => chownSync(at('b/d/two'), 1, 0));
  expect(await compare()).toEqual(['d/two owner']);
  expect(await compare({ owners: false })).toEqual([]);
});

it.runIf(findTool('setfattr') && findTool('getfattr'))('finds another extended attribute', async () => {
  quietly(() => execFileSync('setfattr', ['-n', 'user.x', '-v', '1', at('b/d/two')]));
  expect(await compare()).toEqual(['d/two xattrs']);
});

it('finds another type in the place of a file', async () => {
  quietly(() => { unlinkSync(at('b/d/two')); mkdirSync(at('b/d/two')); });
  expect(await compare()).toEqual(['d/two type']);
});

it('allows times to differ by no more than the tolerance', async () => {
  execFileSync('touch', ['-d', '@1700000000.000000500', at('a/d/two')]);
  execFileSync('touch', ['-d', '@1700000000.000001500', at('b/d/two')]);
  expect(await compare()).toEqual([]);
  expect(await compare({ mtimeToleranceNs: 999n })).toEqual(['d/two mtime']);
});

it('counts all differences and keeps as many as asked', async () => {
  for (let i = 0; i < 20; i++) writeFileSync(at(`a/${i}`), '');
  const result = await compareTrees(at('a'), at('b'), { limit: 3, top: false });
  expect(result).toMatchObject({ identical: false, differenceCount: 20 });
  expect(result.differences).toHaveLength(3);
});
