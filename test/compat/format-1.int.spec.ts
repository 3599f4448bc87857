import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSnapshot, identityKeys, listSnapshots, packNames, parseIdentityFile, runRestore, verifyRepository } from '#repository';
import { fsStore } from '#storage';
import { tempDir } from '#testing';

/** Written by the first program that wrote format 1, and never again: what it restores to must be the same for ever. */
const recorded = join(import.meta.dirname, 'format-1');
const source = 'tmp/fx/src';
const store = fsStore(join(recorded, 'repository'));
const keys = () => identityKeys(store, parseIdentityFile(readFileSync(join(recorded, 'identity.txt'), 'utf8')));

const hashesOf = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'buffer', withFileTypes: false })
  .map((name) => Buffer.from(name)).filter((name) => lstatSync(Buffer.concat([Buffer.from(`${folder}/`), name])).isFile())
  .map((name) => createHash('sha256').update(readFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]))).digest('hex')).sort();

describe('a repository recorded in format 1', () => {
  it('is restored with one identity and nothing else', async () => {
    const destination = await tempDir('compat');
    const latest = findSnapshot(await listSnapshots(store), 'latest');
    const result = await runRestore({
      reader: store, keys: keys(), snapshotObject: latest.name, packs: packNames(store), path: Buffer.from(source), destination, mode: 'always',
    });
    expect(result).toMatchObject({ outcome: 'succeeded', faults: [] });
    const expected = readFileSync(join(recorded, 'expected.sha256'), 'utf8').trim().split('\n').map((line) => line.replace(/^\\/, '').slice(0, 64)).sort();
    expect(hashesOf(destination)).toEqual(expected);
    expect(readlinkSync(join(destination, 'docs/deep/link'))).toBe('../random.bin');
    expect(lstatSync(join(destination, 'docs/deep/a')).ino).toBe(lstatSync(join(destination, 'docs/deep/b')).ino);
  });

  it('verifies at level 3', async () => {
    expect(await verifyRepository({ store, level: 3, keys: keys() })).toMatchObject({ outcome: 'intact', checked: { snapshots: 2 } });
  });
});
