import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareTrees } from '../compare/compare-trees.ts';
import { compareManifestPaths } from '../path-order.ts';
import type { FileTicket, RestoreEntry, RestoreOptions, RestoreSummary } from '../restore.port.ts';
import type { SourceFault } from '../source.port.ts';
import { makeFidelityTree, makeSocket } from '../testing.ts';
import { findTool } from '../tools.ts';
import { filesSource } from '../walk/files-source.ts';
import { contentWriter } from './content-writer.ts';
import { deletePermission } from './delete-permission.ts';
import { restoreWriter } from './restore-writer.ts';

const root = process.getuid?.() === 0;
/** What every walk says on a machine without the package attr. */
const expectedNotes = findTool('getfattr') ? [] : ['xattrs-unavailable'];
let scratch: string;
let out: string;
let faults: SourceFault[];
let notes: string[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'restore-'));
  out = join(scratch, 'out');
  faults = [];
  notes = [];
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const time = 1_600_000_000_123_456_789n;
const entry = (path: string | Buffer, rest: Partial<RestoreEntry> = {}): RestoreEntry => ({
  path: Buffer.from(path), type: 'file', mode: 0o644, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, size: 5, mtimeNs: time, inode: 1n,
  device: 1n, links: 1, ...rest,
});
const directory = (path: string): RestoreEntry => entry(path, { type: 'directory', mode: 0o755, size: 0 });

const open = (options: Partial<RestoreOptions> = {}) => restoreWriter({
  destination: out, mode: 'always', onFault: (fault) => faults.push(fault), onNote: (code) => notes.push(code), ...options,
});

/** Restores entries whose files all hold `content`. `between` runs after everything is placed and before contents are written. */
const restore = async (entries: RestoreEntry[], options: Partial<RestoreOptions> = {}, between?: () => void): Promise<RestoreSummary> => {
  const writer = open(options);
  const contents = contentWriter(writer.rootFd);
  const tickets: FileTicket[] = [];
  for (const placement of await writer.place(entries)) if (placement.action === 'write') tickets.push(placement.ticket);
  between?.();
  for (const ticket of tickets) {
    try {
      contents.writeAll(ticket, [Buffer.alloc(ticket.size, 'new content')]);
      writer.settle(ticket);
    } catch (error) {
      writer.settle(ticket, error);
    }
  }
  contents.close();
  return writer.finish();
};

const codes = (): string[] => faults.map((fault) => `${fault.path.toString()} ${fault.code}`);
const everything = (path: string): string[] => (readdirSync(path, { recursive: true }) as string[]).sort();

describe('a hostile manifest', () => {
  const outside = (): string => join(scratch, 'outside');
  beforeEach(() => {
    mkdirSync(outside());
    writeFileSync(join(outside(), 'precious'), 'untouched');
  });
  afterEach(() => {
    expect(everything(outside())).toEqual(['precious']);
    expect(readFileSync(join(outside(), 'precious'), 'utf8')).toBe('untouched');
  });

  it.each(['/etc/x', '../outside/precious', 'a/../../outside/precious', 'a/./b', 'a//b', 'a/', '', '..', '.', 'a\0b', 'n'.repeat(256)])(
    'cannot use the path %j', async (path) => {
      const summary = await restore([entry(path)]);
      expect(codes()).toEqual([`${path} hostile-entry`]);
      expect(summary).toMatchObject({ faults: 1, created: {} });
      expect(everything(out)).toEqual([]);
    });

  it('cannot write below a link that it makes itself', async () => {
    await restore([entry('way-out', { type: 'symlink', linkTarget: Buffer.from(outside()) }), entry('way-out/new'), entry('way-out/precious')]);
    expect(codes()).toEqual(['way-out/new not-restored', 'way-out/precious not-restored']);
    expect(readlinkSync(join(out, 'way-out'))).toBe(outside());
  });

  it('cannot write through a link that somebody put into the destination before', async () => {
    mkdirSync(out);
    symlinkSync(outside(), join(out, 'd'));
    symlinkSync(join(outside(), 'precious'), join(out, 'f'));
    await restore([entry('f'), entry('d/precious')]);
    expect(codes()).toEqual(['d/precious not-restored']);
    expect(lstatSync(join(out, 'f')).isFile()).toBe(true);
  });

  it('replaces a link in the place of a directory instead of following it', async () => {
    mkdirSync(out);
    symlinkSync(outside(), join(out, 'd'));
    await restore([directory('d'), entry('d/precious')]);
    expect(faults).toEqual([]);
    expect(lstatSync(join(out, 'd')).isDirectory()).toBe(true);
    expect(readFileSync(join(out, 'd/precious'), 'utf8')).toBe('new c');
  });

  it('cannot be helped by a directory swapped for a link while contents are written', async () => {
    await restore([directory('d'), entry('d/precious')], {}, () => {
      renameSync(join(out, 'd'), join(out, 'was-d'));
      symlinkSync(outside(), join(out, 'd'));
    });
    expect(codes()).toContain('d/precious not-restored');
  });

  it('cannot be helped by a file swapped for a link before its content or its facts are set', async () => {
    await restore([directory('d'), entry('d/f'), entry('d/g', { mode: 0o777, xattrs: [{ name: Buffer.from('user.x'), value: Buffer.from('1') }] })], {}, () => {
      symlinkSync(join(outside(), 'precious'), join(out, 'd/f'));
      symlinkSync(join(outside(), 'precious'), join(out, 'd/g'));
    });
    expect(codes()).toContain('d/f not-restored');
    expect(statSync(join(outside(), 'precious')).mode & 0o777).not.toBe(0o777);
  });

  it('cannot name an entry twice, or out of order', async () => {
    const summary = await restore([entry('b'), entry('b'), entry('a'), entry('c')]);
    expect(codes()).toEqual(['b hostile-entry', 'a hostile-entry']);
    expect(everything(out)).toEqual(['b', 'c']);
    expect(summary.created).toEqual({ file: 2 });
  });

  it('cannot make a file the parent of another: only one of them comes to be', async () => {
    await restore([entry('f'), entry('f/child')]);
    expect(codes()).toEqual(['f not-restored']);
    expect(everything(out)).toEqual(['f', 'f/child']);
  });

  it('that lost its directories in a damaged part still gives what is below them', async () => {
    await restore([directory('a'), directory('b'), entry('b/x'), entry('a/lost/kept')].sort((x, y) => compareManifestPaths(x.path, y.path)));
    expect(faults).toEqual([]);
    expect(everything(out)).toEqual(['a', 'a/lost', 'a/lost/kept', 'b', 'b/x']);
  });

  it('cannot have more written than it declared', () => {
    const writer = open();
    const contents = contentWriter(writer.rootFd);
    const ticket: FileTicket = { id: 1, directory: '', name: 'f', stagedAs: 'f', size: 5, mode: 0o644, mtimeNs: 0n, modeLater: false };
    expect(() => contents.write(ticket, Buffer.alloc(6), 0)).toThrow('restored-size-wrong');
    expect(() => contents.write(ticket, Buffer.alloc(1), 5)).toThrow('restored-size-wrong');
    expect(() => contents.writeAll(ticket, [Buffer.alloc(4)])).toThrow('restored-size-wrong');
    contents.close();
    writer.abandon();
  });
});

describe('where something exists already', () => {
  const lay = (): void => {
    mkdirSync(join(out, 'd'), { recursive: true });
    writeFileSync(join(out, 'same'), 'old c');
    utimesSync(join(out, 'same'), 1_600_000_000.123_456_7, 1_600_000_000.123_456_7);
    writeFileSync(join(out, 'newer'), 'old c');
    writeFileSync(join(out, 'older'), 'old c');
    utimesSync(join(out, 'older'), 1, 1);
    writeFileSync(join(out, 'extra'), 'old c');
  };
  const manifest = [directory('d'), entry('newer'), entry('none'), entry('older'), entry('same')];
  const result = (): Record<string, string> =>
    Object.fromEntries(['newer', 'none', 'older', 'same'].map((name) => [name, existsSync(join(out, name)) ? readFileSync(join(out, name), 'utf8') : '-']));

  it.each([
    ['always', { newer: 'new c', none: 'new c', older: 'new c', same: 'new c' }],
    ['if-changed', { newer: 'new c', none: 'new c', older: 'new c', same: 'old c' }],
    ['if-newer', { newer: 'old c', none: 'new c', older: 'new c', same: 'old c' }],
    ['never', { newer: 'old c', none: 'new c', older: 'old c', same: 'old c' }],
  ] as const)('mode %s writes what it says and nothing else', async (mode, expected) => {
    lay();
    const summary = await restore(manifest, { mode });
    expect(result()).toEqual(expected);
    expect(faults).toEqual([]);
    expect(summary.created).toEqual({ file: Object.values(expected).filter((text) => text === 'new c').length });
    expect(everything(out)).toEqual(['d', 'extra', 'newer', 'none', 'older', 'same']);
  });

  it('a dry run counts the same and touches nothing', async () => {
    lay();
    const before = everything(out);
    const summary = await restore([directory('d'), directory('e'), entry('newer'), entry('same'), entry('e/f')], {
      mode: 'if-changed', dryRun: true, deleteExtraneous: { roots: [Buffer.alloc(0)] },
    });
    expect(summary).toMatchObject({ created: { file: 2, directory: 1 }, deleted: 2, faults: 0 });
    expect(everything(out)).toEqual(before);
    expect(readFileSync(join(out, 'newer'), 'utf8')).toBe('old c');
  });

  it('a dry run into a directory that is not there counts all of it, and does not make it', async () => {
    const entries = [directory('d'), entry('g'), entry('d/f')];
    const summary = await restore(entries, { mode: 'if-changed', dryRun: true });
    expect(summary).toMatchObject({ created: { file: 2, directory: 1 }, skipped: 0, faults: 0 });
    expect(existsSync(out)).toBe(false);
    writeFileSync(out, 'a file');
    for (const destination of [out, join(out, 'below')]) await expect(restore(entries, { dryRun: true, destination })).rejects.toMatchObject({ code: 'restore-destination-invalid' });
  });

  it('a file keeps its old content until the new one is whole', async () => {
    lay();
    const writer = open();
    const contents = contentWriter(writer.rootFd);
    const [placement] = await writer.place([entry('newer', { size: 10 })]);
    if (placement?.action !== 'write') throw new Error('nothing to write');
    contents.write(placement.ticket, Buffer.from('new c'), 0);
    expect(readFileSync(join(out, 'newer'), 'utf8')).toBe('old c');
    writer.settle(placement.ticket, new Error('the storage went away'));
    contents.close();
    expect(await writer.finish()).toMatchObject({ faults: 1, created: {} });
    expect(readFileSync(join(out, 'newer'), 'utf8')).toBe('old c');
    expect(everything(out)).toEqual(['d', 'extra', 'newer', 'older', 'same']);
  });

  it('a restore that is given up leaves whole files and no half ones', async () => {
    lay();
    const writer = open();
    const contents = contentWriter(writer.rootFd);
    const [first, second] = await writer.place([entry('newer'), entry('older', { size: 10 })]);
    if (first?.action !== 'write' || second?.action !== 'write') throw new Error('nothing to write');
    contents.writeAll(first.ticket, [Buffer.from('new c')]);
    writer.settle(first.ticket);
    contents.write(second.ticket, Buffer.from('new'), 0);
    contents.close();
    writer.abandon();
    expect(result()).toEqual({ newer: 'new c', none: '-', older: 'old c', same: 'old c' });
    expect(everything(out)).toEqual(['d', 'extra', 'newer', 'older', 'same']);
  });

  it('a directory is never removed to make place for something else', async () => {
    lay();
    await restore([entry('d')]);
    expect(codes()).toEqual(['d not-restored']);
    expect(lstatSync(join(out, 'd')).isDirectory()).toBe(true);
  });
});

describe('extraneous entries', () => {
  beforeEach(() => {
    for (const path of ['root/in/gone/deep', 'root/in/kept', 'root/empty', 'beside']) mkdirSync(join(out, path), { recursive: true });
    for (const path of ['root/in/stays', 'root/in/extra', 'root/in/gone/deep/f', 'root/in/kept/precious', 'root/empty/extra', 'beside/other', 'top']) {
      writeFileSync(join(out, path), 'x');
    }
    mkdirSync(join(scratch, 'outside'));
    writeFileSync(join(scratch, 'outside/precious'), 'x');
    symlinkSync(join(scratch, 'outside'), join(out, 'root/in/link'));
  });
  const manifest = [directory('root'), directory('root/empty'), directory('root/in'), entry('root/in/stays')];
  const roots = [Buffer.from('root')];

  it('are removed only inside what was backed up, never through links, and not where they are protected', async () => {
    const summary = await restore(manifest, { deleteExtraneous: { roots, keep: (path) => path.toString() === 'root/in/kept' } });
    expect(faults).toEqual([]);
    expect(everything(out)).toEqual(['beside', 'beside/other', 'root', 'root/empty', 'root/in', 'root/in/kept', 'root/in/kept/precious', 'root/in/stays', 'top']);
    expect(summary.deleted).toBe(6);
    expect(existsSync(join(scratch, 'outside/precious'))).toBe(true);
  });

  it('are never what the excludes of the backup left out, nor the contents of caches', async () => {
    writeFileSync(join(out, 'root/in/kept/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55');
    const permission = deletePermission({ type: 'files', paths: ['/root/'], excludes: ['gone/', '/in/extra', 'other'] })!;
    await restore([directory('root'), directory('root/empty'), directory('root/in'), directory('root/in/kept'), entry('root/in/stays')], { deleteExtraneous: permission });
    expect(faults).toEqual([]);
    expect(everything(join(out, 'root'))).toEqual([
      'empty', 'in', 'in/extra', 'in/gone', 'in/gone/deep', 'in/gone/deep/f', 'in/kept', 'in/kept/CACHEDIR.TAG', 'in/kept/precious', 'in/stays',
    ]);
  });

  it('are allowed to go only where both the backup and the restore were whole', () => {
    const roots = (paths: string[], path?: string): string[] | undefined =>
      deletePermission({ type: 'files', paths }, path === undefined ? undefined : Buffer.from(path))?.roots.map(String);
    expect(roots(['/a/b', '/c/'])).toEqual(['a/b', 'c']);
    expect(roots(['/a/b'], 'a/b/d')).toEqual(['a/b/d']);
    expect(roots(['/a/b', '/c'], 'a')).toEqual(['a/b']);
    expect(roots(['/a/b'], 'a/bc')).toEqual([]);
    expect(roots(['/'], 'x')).toEqual(['x']);
    expect(roots(['/'])).toEqual(['']);
    expect(deletePermission({ type: 'postgres' })).toBeUndefined();
  });

  it('stay when anything of the restore failed', async () => {
    const before = everything(out);
    const summary = await restore([...manifest, entry('../x')], { deleteExtraneous: { roots } });
    expect(summary.deleted).toBe(0);
    expect(notes).toEqual(['nothing-deleted']);
    expect(everything(out)).toEqual(before);
  });

  it('stay when parts of the manifest were lost before', async () => {
    const before = everything(out);
    const writer = open({ mode: 'never', deleteExtraneous: { roots } });
    await writer.place(manifest);
    expect((await writer.finish(false)).deleted).toBe(0);
    expect(everything(out)).toEqual(before);
  });

  it('stay without permission', async () => {
    const before = everything(out);
    await restore(manifest);
    expect(everything(out)).toEqual(before);
  });
});

describe('a restored tree', () => {
  /** What a backup and a restore do with content, without the repository between them. */
  const copy = async (source: string, options: Partial<RestoreOptions> = {}): Promise<RestoreSummary> => {
    const writer = open({ base: Buffer.from(source.slice(1)), ...options });
    const contents = contentWriter(writer.rootFd);
    const walk = filesSource({ paths: [source] }).entries({ onFault: (fault) => faults.push(fault), onNote: (code) => notes.push(code) });
    for await (const batch of walk) {
      const placements = await writer.place(batch);
      for (const [i, placement] of placements.entries()) {
        if (placement.action !== 'write') continue;
        const data = readFileSync(batch[i]!.contentPath!);
        for (let at = 0; at < data.length; at += 700_001) contents.write(placement.ticket, data.subarray(at, at + 700_001), at);
        contents.complete(placement.ticket);
        writer.settle(placement.ticket);
      }
    }
    contents.close();
    return writer.finish();
  };

  it('is what it was: every type, name, mode, owner, time, attribute and hard link', async () => {
    const tree = makeFidelityTree(join(scratch, 'tree'));
    const summary = await copy(tree.root);
    expect(faults).toEqual([]);
    const comparison = await compareTrees(tree.root, out);
    expect(comparison.differences).toEqual([]);
    expect(comparison).toMatchObject({ identical: true, notes: expectedNotes });
    expect(comparison.files).toBe((summary.created.file ?? 0) + summary.hardLinks);
    expect(summary.hardLinks).toBe(2);
  });

  it('is what it was when it is restored again over itself', async () => {
    const tree = makeFidelityTree(join(scratch, 'tree'));
    await copy(tree.root);
    const changed = await copy(tree.root, { mode: 'if-changed' });
    expect(changed.created.file).toBeUndefined();
    await copy(tree.root, { mode: 'always', deleteExtraneous: { roots: [Buffer.from(tree.root.slice(1))] } });
    expect(faults).toEqual([]);
    expect((await compareTrees(tree.root, out)).differences).toEqual([]);
  });

  it('has holes where there were holes', async () => {
    const tree = makeFidelityTree(join(scratch, 'tree'));
    await copy(tree.root);
    expect(statSync(join(out, 'files/sparse')).size).toBe(16 << 20);
    expect(statSync(join(out, 'files/sparse')).blocks * 512).toBeLessThan(1 << 20);
    expect(statSync(join(out, 'files/hole-only')).blocks).toBe(0);
  });

  it('has no sockets, and says so once', async () => {
    const tree = join(scratch, 'tree');
    mkdirSync(tree);
    const close = [await makeSocket(join(tree, 'one')), await makeSocket(join(tree, 'two'))];
    await copy(tree);
    for (const one of close) await one();
    expect(notes.sort()).toEqual(['sockets-skipped', ...expectedNotes]);
    expect(everything(out)).toEqual([]);
    expect(faults).toEqual([]);
  });

  it.runIf(root)('keeps the content of a file whose owner cannot be set', async () => {
    const summary = await restore([entry('f', { uid: 2 ** 32 + 5 })]);
    expect(codes()).toEqual(['f facts-incomplete']);
    expect(readFileSync(join(out, 'f'), 'utf8')).toBe('new c');
    expect(statSync(join(out, 'f')).mode & 0o7777).toBe(0o644);
    expect(summary).toMatchObject({ created: { file: 1 }, faults: 1 });
  });

  it('may be written by several threads, also different pieces of one file', async () => {
    const size = 40 * 100_000 + 17;
    const pattern = Buffer.alloc(size, 'every piece has its own bytes: 0123456789 abcdefghij');
    const writer = open();
    const placements = await writer.place([directory('d'), ...Array.from({ length: 40 }, (_, i) => entry(`d/${String(i).padStart(2, '0')}`, { size }))]);
    const tickets = placements.flatMap((placement) => (placement.action === 'write' ? [placement.ticket] : []));
    // Node strips the types of the module, but resolves no name of ours in a thread without the condition, which it inherits.
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(({ contentWriter }) => {
        const contents = contentWriter(workerData.rootFd);
        parentPort.on('message', ({ ticket, start }) => {
          for (let at = start * 100_000; at < ticket.size; at += 300_000) {
            contents.write(ticket, workerData.pattern.subarray(at, Math.min(at + 100_000, ticket.size)), at);
          }
          parentPort.postMessage(ticket.id);
        });
      });`;
    const module = new URL('./content-writer.ts', import.meta.url).href;
    const workers = [0, 1, 2].map(() => new Worker(script, { eval: true, workerData: { module, rootFd: writer.rootFd, pattern } }));
    const answers = workers.map((worker) => new Promise<void>((resolve, reject) => {
      let left = tickets.length;
      worker.on('message', () => --left === 0 && resolve());
      worker.on('error', reject);
    }));
    workers.forEach((worker, start) => tickets.forEach((ticket) => worker.postMessage({ ticket, start })));
    await Promise.all(answers);
    await Promise.all(workers.map((worker) => worker.terminate()));
    const contents = contentWriter(writer.rootFd);
    for (const ticket of tickets) {
      contents.complete(ticket);
      writer.settle(ticket);
    }
    contents.close();
    await writer.finish();
    for (const ticket of tickets) expect(readFileSync(join(out, 'd', ticket.name)).equals(pattern)).toBe(true);
    expect(faults).toEqual([]);
  });

  it('may be deeper than a path may be long, and have more directories than are kept open', async () => {
    const long = 'n'.repeat(200);
    const deep = Array.from({ length: 40 }, (_, i) => Array.from({ length: i + 1 }, () => long).join('/'));
    const wide = Array.from({ length: 300 }, (_, i) => `w/${String(i).padStart(3, '0')}`);
    const summary = await restore([directory(long), directory('w'), ...deep.slice(1).map(directory), entry(`${deep.at(-1)}/f`),
      ...wide.map(directory), ...wide.map((path) => entry(`${path}/f`))]);
    expect(faults).toEqual([]);
    expect(summary.created).toEqual({ directory: 341, file: 301 });
    // rm as a program: it changes into the directories, as Node does not.
    execFileSync('rm', ['-rf', out]);
  });

  it.runIf(root)('can be made by a user without rights, as far as it is theirs', () => {
    chmodSync(scratch, 0o777);
    const { devices } = makeFidelityTree(join(scratch, 'tree'));
    execFileSync('chown', ['-hR', '65534:65534', join(scratch, 'tree')]);
    const script = `
      const { compareTrees, contentWriter, filesSource, restoreWriter } = await import('#sources');
      const { readFileSync } = await import('node:fs');
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const [source, destination] = ${JSON.stringify([join(scratch, 'tree'), out])};
      const faults = [], notes = [];
      const report = { onFault: (fault) => faults.push(String(fault.path).split('/').at(-1) + ' ' + fault.detail), onNote: (code) => notes.push(code) };
      const writer = restoreWriter({ destination, base: Buffer.from(source), mode: 'always', ...report });
      const contents = contentWriter(writer.rootFd);
      for await (const batch of filesSource({ paths: [source] }).entries(report)) {
        const placements = await writer.place(batch);
        placements.forEach(({ action, ticket }, i) => {
          if (action !== 'write') return;
          try {
            contents.writeAll(ticket, [readFileSync(batch[i].contentPath)]);
            writer.settle(ticket);
          } catch (error) {
            writer.settle(ticket, error);
          }
        });
      }
      contents.close();
      await writer.finish();
      const { differences } = await compareTrees(source, destination);
      console.log(JSON.stringify({ faults, notes, differences: differences.map(({ path, kind, detail }) => [String(path), kind, detail].join(' ')) }));`;
    const child = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script]);
    expect(child.stderr.toString()).toBe('');
    const result = JSON.parse(child.stdout.toString()) as Record<'faults' | 'notes' | 'differences', string[]>;
    // What nobody may read or make is reported, and is all that is missing.
    const expected = ['file-0000', 'file-0200', ...(devices ? ['block', 'null'] : [])].sort();
    expect(result.faults.map((line) => line.split(' ')[0]).sort()).toEqual(expected);
    expect(result.differences.map((line) => line.replace(/^\w+\/([\w-]+) missing .*$/, '$1')).sort()).toEqual(expected);
    expect(result.notes).toEqual(expectedNotes);
  });

  it.runIf(root)('says once that a user without rights cannot give others what is theirs', () => {
    chmodSync(scratch, 0o777);
    const script = `
      const { restoreWriter } = await import('#sources');
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const notes = [];
      const made = (ownership, name) => restoreWriter({ destination: ${JSON.stringify(out)} + name, mode: 'always', onFault: console.error, onNote: (code) => notes.push(name + code), ...ownership });
      const entry = (path, uid) => ({ path: Buffer.from(path), type: 'directory', mode: 0o755, uid, gid: 65534, mtimeNs: 0n, size: 0, links: 1, inode: 0n });
      for (const [name, ownership, uid] of [['other ', {}, 0], ['own ', {}, 65534], ['unasked ', { ownership: false }, 0]]) {
        const writer = made(ownership, name);
        await writer.place([entry('a', uid), entry('b', uid)]);
        await writer.finish();
      }
      console.log(JSON.stringify(notes));`;
    const child = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script]);
    expect(child.stderr.toString()).toBe('');
    expect(JSON.parse(child.stdout.toString())).toEqual(['other owners-skipped']);
  });

  it('does not link further names to a file that failed', async () => {
    const writer = open();
    const twin = { links: 2, inode: 7n };
    const [first] = await writer.place([entry('a', twin), entry('b', twin)]);
    if (first?.action !== 'write') throw new Error('nothing to write');
    writer.settle(first.ticket, 'the pack is damaged');
    await writer.finish();
    expect(codes()).toEqual(['a not-restored', 'b not-restored']);
    expect(everything(out)).toEqual([]);
  });
});

describe('the destination', () => {
  it('must be a directory', () => {
    writeFileSync(join(scratch, 'file'), '');
    expect(() => open({ destination: join(scratch, 'file') })).toThrow('restore-destination-invalid');
  });

  it('cannot be left before each file is settled', async () => {
    const writer = open();
    await writer.place([entry('f')]);
    await expect(writer.finish()).rejects.toThrow('tickets-unsettled');
    writer.abandon();
  });
});
