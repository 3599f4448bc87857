import { expect, it } from 'vitest';
import { fault } from '#kernel';
import type { ObjectReader } from '#storage';
import { catalogChunkId } from '../format/chunk-id.ts';
import { frameCipher, sealOverhead } from '../format/frame.ts';
import { generateKey } from '../format/keys.ts';
import { codec, frameClass } from '../format/limits.ts';
import { ChunkLocations } from './chunk-locations.ts';
import { ChunkReader } from './chunk-reader.ts';

it('a copy that is under a key which cannot be had, or ends too early, keeps nobody from the good one', async () => {
  const plain = Buffer.from('references');
  const id = catalogChunkId(plain);
  const [key, repositoryId] = [generateKey(), 'ab'.repeat(16)];
  const sealed = frameCipher(repositoryId, key).seal(frameClass.catalog, codec.raw, plain);
  const locations = new ChunkLocations();
  for (const [name, keyId] of [['stranger', 'cd'.repeat(16)], ['short', key.id], ['good', key.id]] as const) {
    const frame = { offset: 0, length: plain.length + sealOverhead, class: frameClass.catalog, codec: codec.raw, keyId, plainLength: plain.length, chunks: [{ id, length: plain.length }] };
    locations.addPack({ name, size: 1_000, catalogKeyId: key.id, frames: [frame] });
  }
  const reader: ObjectReader = {
    head: async () => undefined,
    get: async (name) => {
      if (name === 'short') throw fault('refused', 'object-truncated', 'short');
      return sealed;
    },
  };
  const keys = {
    get: async (_class: string, keyId: string) => {
      if (keyId !== key.id) throw fault('forbidden', 'key-not-available', 'nobody has it');
      return key;
    },
  };
  expect(Buffer.from(await new ChunkReader({ reader, keys, repositoryId, locations }).read(frameClass.catalog, id)).toString()).toBe('references');
});
