import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareManifestPaths } from '../path-order.ts';
import type { SourceEntry, SourceFault, WalkOptions } from '../source.port.ts';
import { makeFidelityTree, makeSocket } from '../testing.ts';
import { findTool } from '../tools.ts';
import { type FilesSourceOptions, filesSource } from './files-source.ts';

let scratch: string;
let faults: SourceFault[];
let notes: string[];
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'walk-'));
  chmodSync(scratch, 0o755);
  faults = [];
  notes = [];
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const walk = async (options: Partial<FilesSourceOptions> = {}, walkOptions: Partial<WalkOptions> = {}): Promise<SourceEntry[]> => {
  const entries: SourceEntry[] = [];
  const source = filesSource({ paths: [scratch], xattrs: null, ...options });
  for await (const batch of source.entries({ onFault: (fault) => faults.push(fault), onNote: (code) => notes.push(code), ...walkOptions })) entries.push(...batch);
  return entries;
};

const make = (...paths: string[]): void => {
  for (const path of paths) {
    mkdirSync(join(scratch, path.endsWith('/') ? path : join(path, '..')), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(scratch, path), path);
  }
};

/** Paths below the scratch directory. */
const below = (entries: readonly SourceEntry[]): string[] =>
  entries.map((entry) => entry.path.toString()).filter((path) => path.length >= scratch.length).map((path) => path.slice(scratch.length));

describe('entries of the files source', () => {
  it('come in the order of the manifest, each once, with all ancestors, whatever the names', async () => {
    const name = fc.array(fc.constantFrom(0x01, 0x20, 0x2d, 0x2e, 0x30, 0x61, 0x62, 0xc3, 0xff), { minLength: 1, maxLength: 3 })
      .map((codes) => Buffer.from(codes).toString('latin1')).filter((text) => text !== '.' && text !== '..');
    const trees = fc.array(fc.array(name, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 25 });
    await fc.assert(fc.asyncProperty(trees, async (paths) => {
      rmSync(scratch, { recursive: true, force: true });
      const made = new Set<string>();
      for (const parts of paths) {
        mkdirSync(Buffer.from([scratch, ...parts].join('/'), 'latin1'), { recursive: true });
        parts.forEach((_, i) => made.add([scratch.slice(1), ...parts.slice(0, i + 1)].join('/')));
      }
      const entries = await walk();
      for (let i = 1; i < entries.length; i++) expect(compareManifestPaths(entries[i - 1]!.path, entries[i]!.path)).toBeLessThan(0);
      const ancestors = scratch.slice(1).split('/').map((_, i, all) => all.slice(0, i + 1).join('/'));
      expect(entries.map((entry) => entry.path.toString('latin1')).sort()).toEqual([...ancestors, ...made].sort());
    }), { numRuns: 60 });
    expect(faults).toEqual([]);
  });

  it('say what the system says of each', async () => {
    const tree = makeFidelityTree(join(scratch, 'tree'));
    const close = await makeSocket(join(scratch, 'socket'));
    const entries = await walk();
    const listing = execFileSync('find', [scratch, '-printf', '%P\\t%y\\t%#m\\t%U\\t%G\\t%s\\t%n\\t%l\\0'], { encoding: 'latin1' });
    await close();
    const types: Record<string, string> = { f: 'file', d: 'directory', l: 'symlink', p: 'fifo', s: 'socket', b: 'block', c: 'char' };
    const found = listing.split('\0').filter(Boolean).map((line) => line.split('\t')).map((fields) => {
      // A name may hold tabs: count from the end.
      const [type, mode, uid, gid, size, links, target] = fields.slice(-7);
      const kind = types[type!]!;
      return [fields.slice(0, -7).join('\t'), kind, Number.parseInt(mode!, 8), Number(uid), Number(gid), kind === 'file' ? Number(size) : 0, Number(links), target];
    });
    const ours = entries.filter((entry) => entry.path.length >= scratch.length - 1).map((entry) => [
      entry.path.subarray(scratch.length).toString('latin1'), entry.type, entry.mode, entry.uid, entry.gid, entry.size, entry.links,
      entry.linkTarget?.toString('latin1') ?? '',
    ]);
    expect(ours.map(String).sort()).toEqual(found.map(String).sort());
    expect(ours.length).toBeGreaterThan(90);
    expect(tree.root).toBe(join(scratch, 'tree'));
  });

  it('have times to the nanosecond, and a path to open for each file', async () => {
    writeFileSync(join(scratch, 'f'), '');
    execFileSync('touch', ['-d', '@-1234567.890123456', join(scratch, 'f')]);
    const file = (await walk()).at(-1)!;
    expect(file.mtimeNs).toBe(-1_234_567_890_123_456n);
    expect(file.contentPath?.toString()).toBe(join(scratch, 'f'));
  });

  it('of several overlapping paths are one sorted list without repetition', async () => {
    make('a/b/c', 'a/b/d/e', 'a/x', 'other/o', 'z');
    const paths = ['a/b', 'a/b/d/e', 'a/b/../b/', 'z', 'a/x'].map((path) => `${scratch}/${path}`);
    expect(below(await walk({ paths }))).toEqual(['a', 'z', 'a/b', 'a/x', 'a/b/c', 'a/b/d', 'a/b/d/e']);
  });

  it('never have a link as ancestor: a path through one is kept as what it leads to, and a note says so', async () => {
    make('real/dir/f');
    symlinkSync('real', join(scratch, 'link'));
    expect(below(await walk({ paths: [join(scratch, 'link/dir')] }))).toEqual(['real', 'real/dir', 'real/dir/f']);
    expect(notes).toContain('path-through-link');
  });

  it('of a path that is itself a link are the link alone', async () => {
    make('real/f');
    symlinkSync('real', join(scratch, 'link'));
    const entries = await walk({ paths: [join(scratch, 'link')] });
    expect(below(entries)).toEqual(['link']);
    expect(entries.at(-1)?.type).toBe('symlink');
  });

  it('carry the names of their owners where the host knows them', async () => {
    const [entry] = await walk({ names: { user: (uid) => `u${uid}`, group: () => undefined } });
    expect(entry).toMatchObject({ user: 'u0' });
    expect(entry?.group).toBeUndefined();
  });
});

describe('what is left out', () => {
  it('is what the patterns say, relative to each path; a path chosen by itself is in', async () => {
    make('keep.txt', 'a.log', 'd/b.log', 'd/keep.log', 'build/x', 'd/build/y', 'only-here', 'd/only-here');
    const excludes = ['*.log', '!keep.log', 'build/', '/only-here'];
    expect(below(await walk({ excludes }))).toEqual(['d', 'keep.txt', 'd/keep.log', 'd/only-here']);
    expect(below(await walk({ excludes, paths: [scratch, join(scratch, 'build'), join(scratch, 'd')] })))
      .toEqual(['build', 'd', 'keep.txt', 'build/x', 'd/keep.log', 'd/only-here']);
  });

  it('holds the contents of tagged caches, but only of those with the signature', async () => {
    make('cache/CACHEDIR.TAG', 'cache/x/y', 'fake/CACHEDIR.TAG', 'fake/x', 'named/CACHEDIR.TAG', 'named/x');
    for (const name of ['cache', 'named']) writeFileSync(join(scratch, name, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n# more');
    const paths = [scratch, join(scratch, 'named')];
    expect(below(await walk({ paths }))).toEqual([
      'cache', 'fake', 'named', 'cache/CACHEDIR.TAG', 'fake/CACHEDIR.TAG', 'fake/x', 'named/CACHEDIR.TAG', 'named/x',
    ]);
    expect(below(await walk({ excludeCaches: false }))).toContain('cache/x/y');
  });

  const mounted = (): boolean => {
    const place = mkdtempSync(join(tmpdir(), 'mount-'));
    const works = spawnSync('mount', ['-t', 'tmpfs', 'none', place]).status === 0;
    if (works) spawnSync('umount', [place]);
    rmSync(place, { recursive: true, force: true });
    return works;
  };

  it.runIf(mounted())('is on other file systems when asked so, the mount point itself being kept', async () => {
    make('here/f', 'mount/');
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(scratch, 'mount')]);
    try {
      make('mount/there');
      expect(below(await walk({ oneFileSystem: true }))).toEqual(['here', 'mount', 'here/f']);
      expect(below(await walk())).toEqual(['here', 'mount', 'here/f', 'mount/there']);
      expect(below(await walk({ oneFileSystem: true, paths: [scratch, join(scratch, 'mount')] }))).toContain('mount/there');
    } finally {
      execFileSync('umount', [join(scratch, 'mount')]);
    }
  });
});

describe('what cannot be read', () => {
  it('is a fault: a chosen path that does not exist', async () => {
    make('there');
    expect(below(await walk({ paths: [join(scratch, 'there'), join(scratch, 'missing')] }))).toEqual(['there']);
    expect(faults.map((fault) => [fault.path.toString(), fault.code])).toEqual([[join(scratch, 'missing').slice(1), 'vanished']]);
  });

  it('is a fault: a directory that vanishes between its listing and its own turn', async () => {
    make('a/f', 'b/f');
    // Ancestors, a and b, then a/f: by then b is an entry already.
    let until = scratch.split('/').length + 2;
    const names = { group: () => undefined, user: () => void (--until === 0 && rmSync(join(scratch, 'b'), { recursive: true })) };
    expect(below(await walk({ names }))).toEqual(['a', 'b', 'a/f']);
    expect(faults.map((fault) => [fault.path.toString(), fault.code])).toEqual([[join(scratch, 'b').slice(1), 'vanished']]);
  });

  it.runIf(process.getuid?.() === 0)('is a fault: a directory without permission, while the rest goes on', () => {
    make('open/f', 'closed/f', 'unsearchable/f', 'z/f');
    chmodSync(join(scratch, 'closed'), 0o700);
    chmodSync(join(scratch, 'unsearchable'), 0o744);
    // The whole child is nobody. Modules are loaded before, as they may lie where nobody may not read.
    const script = `
      const { filesSource } = await import('#sources');
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const result = { entries: [], faults: [] };
      const walk = filesSource({ paths: [${JSON.stringify(scratch)}] });
      const batches = walk.entries({ onFault: (fault) => result.faults.push([String(fault.path), fault.code, fault.detail]) });
      for await (const batch of batches) result.entries.push(...batch.map((entry) => String(entry.path)));
      console.log(JSON.stringify(result));`;
    const child = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script]);
    const result = JSON.parse(child.stdout.toString()) as { entries: string[]; faults: string[][] };
    const path = (name: string): string => join(scratch, name).slice(1);
    expect(result.faults).toEqual([
      [path('closed'), 'unreadable', 'The system refused to read it: EACCES (scandir)'], [path('unsearchable/f'), 'unreadable', 'The system refused to read it: EACCES (lstat)'],
    ]);
    expect(result.entries).toEqual(expect.arrayContaining(['closed', 'open', 'open/f', 'unsearchable', 'z', 'z/f'].map(path)));
  });

  it('ends nothing but a wrong path does: it must be absolute', () => {
    expect(() => filesSource({ paths: ['relative'] })).toThrow('source-path-invalid');
    expect(() => filesSource({ paths: ['/a\0b'] })).toThrow('source-path-invalid');
  });

  it('by a walk that is given up is not read any more', async () => {
    make(...Array.from({ length: 700 }, (_, i) => `d${i}/f`));
    const abort = new AbortController();
    const names = { group: () => undefined, user: () => void abort.abort(new Error('given up')) };
    await expect(walk({ names }, { signal: abort.signal })).rejects.toThrow('given up');
  });
});

describe('extended attributes', () => {
  const tools = findTool('getfattr') !== undefined && findTool('setfattr') !== undefined;

  it('are said once to be missing where the machine cannot read them', async () => {
    make('a', 'b');
    await walk({ xattrs: null });
    expect(notes).toEqual(['xattrs-unavailable']);
  });

  it.runIf(tools)('come with their entry, whatever the bytes in names and values', async () => {
    const path = Buffer.concat([Buffer.from(`${scratch}/we\nird\\=#:`), Buffer.from([1, 0xff])]);
    make('plain');
    writeFileSync(path, '');
    const set = `# file: ${path.toString('latin1').replace(/[\n\\\x01]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)}\nuser.k\\075\\012\xfe=0x000a5cff\nuser.empty=0x\n`;
    execFileSync('setfattr', ['--restore=-'], { input: Buffer.from(set, 'latin1') });
    const found = (await walk({ xattrs: undefined })).filter((entry) => entry.xattrs);
    expect(found.map((entry) => entry.path.equals(path.subarray(1)))).toEqual([true]);
    expect(found[0]?.xattrs?.map(({ name, value }) => [name.toString('latin1'), value.toString('hex')])).toEqual([['user.empty', ''], ['user.k=\n\xfe', '000a5cff']]);
  });

  it.runIf(tools)('are read only of entries that need it', async () => {
    make('a', 'b');
    for (const name of ['a', 'b']) execFileSync('setfattr', ['-n', 'user.x', '-v', '1', join(scratch, name)]);
    const asked: number[] = [];
    const entries = await walk({ xattrs: async (paths) => { asked.push(paths.length); return { attributes: new Map(), failed: new Map() }; } }, {
      needsXattrs: (entry) => entry.path.toString().endsWith('/a'),
    });
    expect(asked).toEqual([1]);
    expect(entries.length).toBeGreaterThan(3);
  });

  it('that cannot be read are faults of their entries', async () => {
    make('a');
    const bad = join(scratch, 'a');
    await walk({ xattrs: async () => ({ attributes: new Map(), failed: new Map([[bad, 'Input/output error']]) }) });
    await walk({ paths: [bad], xattrs: () => Promise.reject(new Error('getfattr ended with SIGKILL')) }, { needsXattrs: (entry) => entry.type === 'file' });
    expect(faults.map((fault) => [fault.path.toString(), fault.code, fault.detail])).toEqual([
      [bad.slice(1), 'xattrs-unreadable', 'Input/output error'], [bad.slice(1), 'xattrs-unreadable', 'getfattr ended with SIGKILL'],
    ]);
  });
});
