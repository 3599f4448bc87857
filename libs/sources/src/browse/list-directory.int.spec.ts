import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ListedEntry, listDirectory } from './list-directory.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'list-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

it('gives every name once over the pages, sorted by bytes, also when names come and go in between', async () => {
  const names = Array.from({ length: 25 }, (_, i) => Buffer.from([0x61 + i])).concat([Buffer.from([0xff, 0xfe]), Buffer.from('é')]);
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${scratch}/`), name]), 'x');
  const seen: ListedEntry[] = [];
  let after: Buffer | undefined;
  for (let pages = 0; ; pages++) {
    expect(pages).toBeLessThan(10);
    const page = await listDirectory(scratch, { limit: 4, ...(after ? { after } : undefined) });
    seen.push(...page.entries);
    if (pages === 1) rmSync(join(scratch, String.fromCharCode(0x61 + 7))); // The last name of the page just seen.
    after = page.next;
    if (!after) break;
  }
  expect(seen.map((entry) => entry.name.toString('latin1'))).toEqual(names.map((name) => name.toString('latin1')).sort());
});

it('tells type and size of each, links as they are', async () => {
  writeFileSync(join(scratch, 'f'), 'four');
  mkdirSync(join(scratch, 'd'));
  symlinkSync('nowhere', join(scratch, 'l'));
  const { entries, total, next } = await listDirectory(scratch, { limit: 3 });
  expect(entries.map((entry) => ('type' in entry ? [entry.name.toString(), entry.type, entry.size] : entry))).toEqual([['d', 'directory', 0], ['f', 'file', 4], ['l', 'symlink', 0]]);
  expect({ total, next }).toEqual({ total: 3, next: undefined });
});

it('tells why there is no list as data', async () => {
  writeFileSync(join(scratch, 'f'), '');
  expect(await listDirectory(join(scratch, 'missing'), { limit: 1 })).toEqual({ entries: [], total: 0, error: 'ENOENT' });
  expect(await listDirectory(join(scratch, 'f'), { limit: 1 })).toEqual({ entries: [], total: 0, error: 'ENOTDIR' });
});

it.each([0, 1001, 1.5])('refuses pages of %d names', async (limit) => {
  await expect(listDirectory(scratch, { limit })).rejects.toThrow('page-limit-invalid');
});
