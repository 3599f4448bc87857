import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { tempDir } from '#testing';
import { runCommandLine } from '../command-line.ts';

let out = '';
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => { out += String(text); return true; });
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => { vi.restoreAllMocks(); });

it('backups go on after a prune that rewrote packs, and what is unchanged is read once more at most', async () => {
  const dir = await tempDir('after-prune');
  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    out = '';
    expect([args[0], await runCommandLine(['--json', 'repo', ...args])]).toEqual([args[0], 0]);
    return JSON.parse(out.trim().split('\n').at(-1)!) as Record<string, unknown>;
  };
  const { identity, recipient } = await run('keygen') as { identity: string; recipient: string };
  await writeFile(join(dir, 'id.key'), `${identity}\n`);
  for (const name of ['one', 'two']) {
    await mkdir(join(dir, name));
    await writeFile(join(dir, name, 'file'), name);
  }
  const place = ['--repository', join(dir, 'repository')];
  const writer = [...place, '--state', join(dir, 'state')];
  const key = ['--identity', join(dir, 'id.key')];
  await run('init', ...writer, '--recipient', recipient);
  await run('backup', ...writer, join(dir, 'one'), join(dir, 'two'));
  await run('backup', ...writer, join(dir, 'one'));
  expect(await run('prune', ...place, ...key, '--keep-last', '1')).toMatchObject({ packs_rewritten: 1 });
  for (const read of [1, 0]) expect(await run('backup', ...writer, join(dir, 'one'))).toMatchObject({ files: 1, files_read: read });
  expect(await run('verify', ...place, ...key, '--level', '3')).toMatchObject({ outcome: 'intact', snapshots: 3 });
});
