import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '#testing';
import { deriveSubkeys, generateAttemptKeys, generateKey } from '../format/keys.ts';
import { defaultChunker } from '../format/limits.ts';
import type { ContentWorkerData } from './content-messages.ts';
import { ContentPool } from './content-pool.ts';
import type { FileOutcome } from './file-outcomes.ts';
import { createClaimsMemory } from './shared-index.ts';

const keys = generateAttemptKeys();
const subkeys = deriveSubkeys(generateKey().bytes);
const nothing = new Uint32Array(0);

const dataFor = (workers: number): ((index: number) => Omit<ContentWorkerData, 'nextFiles'>) => {
  const shared = {
    repositoryId: randomBytes(16).toString('hex'), dataKey: keys.data.bytes, catalogKey: keys.catalog.bytes, chunkIdKey: subkeys.chunkId, gear: subkeys.gear,
    chunker: defaultChunker, packBytes: 16 * 1024 * 1024, known: { start: 0, high: nothing, low: nothing, condemned: new Uint8Array(0) },
    claims: createClaimsMemory(), closedPacks: new SharedArrayBuffer(workers * 4), readBytes: new SharedArrayBuffer(workers * 8),
  };
  return (index) => ({ ...shared, index });
};

const jobOf = (slot: number, path: string) => {
  const bytes = Buffer.from(path);
  const paths = Buffer.alloc(4 + bytes.length);
  paths.writeUInt32LE(bytes.length, 0);
  bytes.copy(paths, 4);
  return { slots: [slot], paths, facts: new BigInt64Array(5) };
};

it.each([[2, 2], [2, 1], [1, 64]])('each job is done once, and by its number, by %i workers of which %i read', async (workers, readers) => {
  const dir = await tempDir('pool');
  const files = await Promise.all(Array.from({ length: 150 }, async (_, number) => {
    const path = join(dir, String(number));
    // Each longer than the one before it, so that what is told of one is told of no other.
    await writeFile(path, randomBytes(number + 1));
    return path;
  }));
  const outcomes: FileOutcome[] = [];
  const pool = new ContentPool({ workers, readers }, dataFor(workers), { onFiles: (some) => outcomes.push(...some), onPack: () => Promise.resolve() });
  try {
    const chunk = await pool.chunk(2, Buffer.from('asked for before there was a reader'));
    for (const [slot, path] of files.entries()) await pool.readFiles(jobOf(slot, path));
    await pool.until(() => outcomes.length >= files.length);
    await chunk.id;
    await pool.finish();
  } finally {
    await pool.close();
  }
  const told = [...outcomes].sort((a, b) => a.slot - b.slot).map(({ slot, size, fault }) => ({ slot, size, fault }));
  expect(told).toEqual(files.map((_, slot) => ({ slot, size: slot + 1, fault: undefined })));
});
