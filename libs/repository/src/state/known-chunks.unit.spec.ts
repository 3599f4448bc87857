import { expect, it } from 'vitest';
import { tempDir } from '#testing';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { type KnownChunks, loadKnownChunks, noKnownChunks, packsOf, writeKnownChunks } from './known-chunks.ts';

const nothing = new Uint8Array(0);
const pack = (letter: string): string => letter.repeat(64);
const idsOf = (bytes: readonly number[]): Uint8Array => Buffer.concat(bytes.map((byte) => Buffer.alloc(chunkIdBytes, byte)));

it('a pack that is gone is forgotten with its chunks and for good; those of the other packs stay theirs', async () => {
  const stateDir = await tempDir('known-chunks');
  const load = async (): Promise<KnownChunks> => (await loadKnownChunks(stateDir, 0, nothing))!;
  const firstBytes = ({ table }: KnownChunks): number[] => [...table.high].map((high) => high >>> 24);
  await writeKnownChunks(stateDir, noKnownChunks(0, nothing), {
    packNames: ['a', 'b', 'c'].map((letter) => `packs/00/${pack(letter)}`), added: { ids: idsOf([1, 2, 3, 4, 5, 6]), packs: Uint32Array.of(0, 1, 2, 0, 1, 2) },
  });
  const before = await load();
  await writeKnownChunks(stateDir, before, { packNames: [`packs/00/${pack('d')}`], added: { ids: idsOf([7]), packs: Uint32Array.of(0) }, forget: (name) => name === pack('b') });
  const without = await load();
  expect([packsOf(without), firstBytes(without)]).toEqual([[pack('a'), pack('c'), pack('d')], [1, 3, 4, 6, 7]]);
  expect(without.epoch).not.toBe(before.epoch);

  await writeKnownChunks(stateDir, without, { packNames: [], added: { ids: nothing, packs: new Uint32Array(0) }, forget: (name) => name === pack('c') });
  const left = await load();
  expect([packsOf(left), firstBytes(left)]).toEqual([[pack('a'), pack('d')], [1, 4, 7]]);
  await writeKnownChunks(stateDir, left, { packNames: [], added: { ids: nothing, packs: new Uint32Array(0) }, forget: () => false });
  expect((await load()).epoch).toBe(left.epoch);
});
