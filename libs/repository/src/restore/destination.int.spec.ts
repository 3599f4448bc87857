import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fsStore } from '#storage';
import { tempDir } from '#testing';
import { sampleRepository } from '../catalog/testing.ts';

/** A file system of a fixed size in a mount namespace that ends with the program in it: nothing of it is left, whatever happens. */
const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

interface Said {
  readonly outcome?: string; readonly code?: string; readonly kind?: string; readonly faultCount?: number; readonly names: string[];
  readonly reason?: { readonly code: string; readonly detail: string }; readonly faults?: readonly { readonly path: string; readonly code: string }[];
  readonly statistics?: { readonly files: number };
}

describe.runIf(canMount)('a restore into a file system that', () => {
  let destination = '';
  let order: readonly string[] = [];
  beforeAll(async () => {
    const folder = await tempDir('repository');
    const sample = await sampleRepository(fsStore(folder, { sync: false }));
    await symlink('b-large', join(sample.source, 'a-link'));
    for (const name of ['b-large', 'c-large']) await sample.write(name, randomBytes(4_000_000));
    const { snapshot } = await sample.backup();
    destination = await tempDir('mounted');
    order = [destination, folder, snapshot.name, sample.dataIdentity, sample.source.slice(1)];
  });

  const restored = (mount: string): Said => {
    const child = spawnSync('unshare', [
      '-m', 'sh', '-c', `${mount} && exec "$0" "$@"`, process.execPath, '--conditions=source', join(import.meta.dirname, 'restore.program.ts'), ...order,
    ], { encoding: 'utf8' });
    expect(child.stderr).toBe('');
    return JSON.parse(child.stdout) as Said;
  };

  it('is full says so, keeps what is whole and leaves nothing half', () => {
    const said = restored(`mount -t tmpfs -o size=2m none ${destination}`);
    expect(said).toMatchObject({ outcome: 'partial', reason: { code: 'restore-destination-full' }, faultCount: 2, statistics: { files: 0, others: 1 }, names: ['a-link'] });
    expect(said.reason?.detail).toMatch(/no space left; make some, then restore again with mode if-changed.*2 entries could not be restored/);
    expect(new Set(said.faults?.map(({ code }) => code))).toEqual(new Set(['restore-destination-full']));
  });

  it('is mounted read-only says so, and is no part of a restore', () => {
    const said = restored(`mount -t tmpfs -o ro none ${destination}`);
    expect(said).toMatchObject({ code: 'restore-destination-read-only', kind: 'refused', names: [] });
  });

  it('was there for the test only is gone', () => {
    expect(readdirSync(destination)).toEqual([]);
  });
});
