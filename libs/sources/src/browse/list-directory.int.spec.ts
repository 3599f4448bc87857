import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { DirectoryLister, type DirectoryPage, type ListedEntry } from './list-directory.ts';
import { patientCalls } from './patient-calls.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'list-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const lister = (roots?: readonly string[]) => new DirectoryLister({ clock: systemClock, call: patientCalls(systemClock), roots });
const look = (path: string, page: DirectoryPage) => lister().list(Buffer.from(path), page);

it('gives every name once over the pages, sorted by bytes, also when names come and go in between', async () => {
  const names = Array.from({ length: 25 }, (_, i) => Buffer.from([0x61 + i])).concat([Buffer.from([0xff, 0xfe]), Buffer.from('é')]);
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${scratch}/`), name]), 'x');
  const seen: ListedEntry[] = [];
  let after: Buffer | undefined;
  for (let pages = 0; ; pages++) {
    expect(pages).toBeLessThan(10);
    const page = await look(scratch, { limit: 4, ...(after ? { after } : undefined) });
    seen.push(...page.entries);
    if (pages === 1) rmSync(join(scratch, String.fromCharCode(0x61 + 7))); // The last name of the page just seen.
    after = page.next;
    if (!after) break;
  }
  expect(seen.map((entry) => entry.name.toString('latin1'))).toEqual(names.map((name) => name.toString('latin1')).sort());
});

it('tells type, size and owner of each, links as they are', async () => {
  writeFileSync(join(scratch, 'f'), 'four');
  mkdirSync(join(scratch, 'd'));
  symlinkSync('nowhere', join(scratch, 'l'));
  spawnSync('mkfifo', [join(scratch, 'p')]);
  const { entries, total, next } = await look(scratch, { limit: 4 });
  expect(entries.map((entry) => ('size' in entry ? [entry.name.toString(), entry.type, entry.size] : entry)))
    .toEqual([['d', 'directory', 0], ['f', 'file', 4], ['l', 'symlink', 0], ['p', 'fifo', 0]]);
  expect(entries[1]).toMatchObject({ uid: process.getuid?.(), mode: expect.any(Number) as number, user: expect.any(String) as string });
  expect({ total, next }).toEqual({ total: 4, next: undefined });
});

it('tells why there is no list as data', async () => {
  writeFileSync(join(scratch, 'f'), '');
  expect(await look(join(scratch, 'missing'), { limit: 1 })).toEqual({ entries: [], total: 0, error: 'ENOENT' });
  expect(await look(join(scratch, 'f'), { limit: 1 })).toEqual({ entries: [], total: 0, error: 'ENOTDIR' });
  symlinkSync('circle', join(scratch, 'circle'));
  expect(await look(join(scratch, 'circle'), { limit: 1 })).toEqual({ entries: [], total: 0, error: 'ELOOP' });
});

it('sees what its user may see: a directory that is closed to it is told as EACCES', async () => {
  mkdirSync(join(scratch, 'closed'));
  chmodSync(join(scratch, 'closed'), 0);
  chmodSync(scratch, 0o755);
  const program = `import { DirectoryLister } from '${import.meta.dirname}/list-directory.ts'; import { patientCalls } from '${import.meta.dirname}/patient-calls.ts';
    import { systemClock } from '#kernel'; process.setuid(65534);
    const lister = new DirectoryLister({ clock: systemClock, call: patientCalls(systemClock) });
    console.log(JSON.stringify(await lister.list(Buffer.from('${scratch}/closed'), { limit: 9 })));`;
  const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], { cwd: import.meta.dirname });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  await new Promise((resolve) => child.once('close', resolve));
  expect(out && JSON.parse(out)).toEqual({ entries: [], total: 0, error: 'EACCES' });
});

it('keeps no more names than a page of a huge directory, and counts all', async () => {
  spawnSync('sh', ['-c', 'seq -f "%06.0f" 1 30000 | xargs touch'], { cwd: scratch });
  const before = process.memoryUsage.rss();
  const { entries, total, next } = await look(scratch, { limit: 3, after: Buffer.from('029990') });
  expect(entries.map(({ name }) => name.toString())).toEqual(['029991', '029992', '029993']);
  expect({ total, next: next?.toString() }).toEqual({ total: 30_000, next: '029993' });
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
});

it.each([0, 1001, 1.5])('refuses pages of %d names', async (limit) => {
  await expect(look(scratch, { limit })).rejects.toThrow('page-limit-invalid');
});

it.each(['', 'etc', './etc', '/etc/../root', '/etc/./x', '//etc', '/etc//x', '/a\0b', `/${'x'.repeat(4096)}`])('refuses the path %j', async (path) => {
  await expect(look(path, { limit: 1 })).rejects.toThrow('path-invalid');
});

it('shows only what it may show, also through links and names that begin alike', async () => {
  for (const name of ['shown', 'shown-not', 'shown/deep']) mkdirSync(join(scratch, name));
  symlinkSync('/etc', join(scratch, 'shown', 'out'));
  symlinkSync('deep', join(scratch, 'shown', 'in'));
  const narrow = lister([join(scratch, 'shown')]);
  for (const path of ['shown', 'shown/deep', 'shown/in', 'shown/']) expect((await narrow.list(Buffer.from(join(scratch, path)), { limit: 9 })).error, path).toBeUndefined();
  for (const path of ['shown-not', 'shown/out', '', 'missing']) await expect(narrow.list(Buffer.from(join(scratch, path)), { limit: 9 }), path).rejects.toThrow('browse-not-allowed');
  await expect(lister([]).list(Buffer.from('/'), { limit: 1 })).rejects.toThrow('browse-not-allowed');
});
