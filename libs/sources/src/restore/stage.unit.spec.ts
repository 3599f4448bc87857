import { closeSync, constants, copyFileSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, FakeClock } from '#kernel';
import { SafeTree } from './safe-tree.ts';
import { type Maker, Stage, makerHere } from './stage.ts';

const day = 86_400_000;
let root: string;
let rootFd: number;
let tree: SafeTree;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stage-'));
  mkdirSync(join(root, 'a'));
  rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  tree = new SafeTree(rootFd);
});
afterEach(() => {
  tree.close();
  closeSync(rootFd);
  rmSync(root, { recursive: true, force: true });
});

const here = makerHere();
/** One that had our number before us: numbers are given again. */
const dead: Maker = { ...here, start: '1' };
/** A file that a restore of this process was making in a directory. */
const leave = (maker: Maker, directory = 'a'): string => {
  const name = new Stage(tree, new FakeClock(), maker).name(directory);
  writeFileSync(join(root, directory, name), 'half');
  return name;
};
const remove = (stage = new Stage(tree, new FakeClock(Date.now())), state: 'existing' | 'made' = 'existing'): number => stage.removeLeftovers(new Map([['', state], ['a', state]]));
const after = (ms: number): Clock => new FakeClock(Date.now() + ms);

describe('what a killed restore was making in a directory that was there before', () => {
  it('is removed by the next restore, at the top as below', () => {
    leave(dead);
    leave(dead, '');
    writeFileSync(join(root, 'a', 'other'), '');
    expect(remove()).toBe(2);
    expect(readdirSync(root)).toEqual(['a']);
    expect(readdirSync(join(root, 'a'))).toEqual(['other']);
  });

  it('is removed after another start of the same machine, though its process has a number that is in use', () => {
    leave({ ...here, boot: '00000000', machine: 'abcdef01' });
    expect(new Stage(tree, new FakeClock(), { ...here, machine: 'abcdef01' }).removeLeftovers(new Map([['a', 'existing']]))).toBe(1);
  });

  it('stays while its process runs, however old it is', () => {
    leave(here);
    expect(remove(new Stage(tree, after(10 * day)))).toBe(0);
  });

  it.each<[string, Partial<Maker>]>([
    ['on another host', { boot: '00000000', machine: '00000000' }], ['in another container', { namespace: '1' }], ['on a host without a name', { boot: '00000000', machine: '' }],
    ['where /proc is not to be seen', { boot: '', start: '' }],
  ])('stays for a day when it was made %s, and goes then', (_where, differs) => {
    leave({ ...here, pid: '1', ...differs });
    expect(remove(new Stage(tree, after(day / 2)))).toBe(0);
    expect(remove(new Stage(tree, after(2 * day)))).toBe(1);
  });

  it('is not looked for in directories that this restore made', () => {
    leave(dead);
    expect(remove(undefined, 'made')).toBe(0);
  });
});

describe('a file that only looks alike stays', () => {
  it.each([
    '.holdfast-', '.holdfast-0123456789abcdef-7', `.holdfast-0123456789abcdef-${here.machine}-${here.boot}-${here.namespace}-${here.pid}-1-1-0123456789abcdef`,
  ])('%s', (name) => {
    writeFileSync(join(root, 'a', name), '');
    expect(remove(new Stage(tree, after(10 * day)))).toBe(0);
  });

  it('a copy in another directory, as a backup and a restore elsewhere make one', () => {
    const name = leave(dead);
    copyFileSync(join(root, 'a', name), join(root, name));
    rmSync(join(root, 'a', name));
    expect(remove()).toBe(0);
  });

  it('a directory', () => {
    mkdirSync(join(root, 'a', new Stage(tree, new FakeClock(), dead).name('a')));
    expect(remove()).toBe(0);
  });

  it('what the snapshot has under such a name', () => {
    const name = leave(dead);
    const stage = new Stage(tree, new FakeClock());
    stage.keep(`a/${name}`, name);
    expect(remove(stage)).toBe(0);
  });
});
