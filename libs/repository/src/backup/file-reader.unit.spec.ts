import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createChunker } from '../format/chunker.ts';
import { encodeReferences, ReferenceCollector } from '../format/refs.ts';
import type { ChunkStore } from './chunk-store.ts';
import { FileReader } from './file-reader.ts';

const sizes = { min: 1024, average: 4096, max: 32_768 };
const idOf = (plain: Uint8Array): Buffer => createHash('sha256').update(plain).digest();

/** A store that names chunks and counts them. */
const countingStore = () => {
  const added: number[] = [];
  const store: Pick<ChunkStore, 'add' | 'put'> = {
    add: (_class, plain) => {
      added.push(plain.length);
      return Promise.resolve(idOf(plain));
    },
    put: () => Promise.resolve(),
  };
  return { store: store as ChunkStore, added };
};

/** The records of a content, cut with nothing but the chunker. */
const plainRecords = (content: Buffer, gear: Buffer): Buffer => {
  const chunker = createChunker(gear, sizes, Math.max(content.length, sizes.max));
  chunker.content.set(content);
  const references = new ReferenceCollector(() => undefined);
  for (let start = 0; start < content.length;) {
    const cut = chunker.cut(start, content.length);
    const end = cut < 0 ? content.length : cut;
    references.add(idOf(content.subarray(start, end)), end - start);
    start = end;
  }
  return encodeReferences(references.finish());
};

/** The same through a reader, in pieces. */
const readRecords = async (reader: FileReader, content: Buffer, piece: number): Promise<Buffer> => {
  const stream = reader.startStream();
  for (let at = 0; at < content.length;) {
    const room = stream.room(Math.min(piece, content.length - at));
    content.copy(room, 0, at, at + room.length);
    at += room.length;
    await stream.filled(room.length);
  }
  return stream.end();
};

/** Stretches of zeros (also such that end next to a limit) and of data that begins or ends with zeros. */
const contents = fc.array(fc.oneof(
  fc.integer({ min: 0, max: 200_000 }).map((length) => Buffer.alloc(length)),
  fc.constantFrom(-1, 0, 1, 31, 32, 33).map((more) => Buffer.alloc(2 * sizes.max + more)),
  fc.integer({ min: 1, max: 60_000 }).map((length) => randomBytes(length)),
  fc.integer({ min: 1, max: 3_000 }).map((length) => Buffer.concat([Buffer.alloc(length), Buffer.of(1), Buffer.alloc(length)])),
), { maxLength: 6 }).map((parts) => Buffer.concat(parts));

/** Such that the hash over zeros cuts: always, and at one byte of its way to its last value. */
const zerosCut = (ofZero: number): Buffer => {
  const gear = randomBytes(1024);
  gear.writeUInt32LE(ofZero);
  return gear;
};

describe('content with stretches of zeros', () => {
  it.each([
    ['any gear', () => randomBytes(1024)], ['a gear that cuts zeros at once', () => zerosCut(0)], ['a gear that cuts zeros once', () => zerosCut(0x8000_0000)],
    ['a gear that cuts zeros for ever', () => zerosCut(1)], ['a gear whose hash of zeros comes to rest at a cut', () => zerosCut(0xffff_ff00)],
  ])('is cut and named as without any shortcut: %s', async (_name, gearOf) => {
    await fc.assert(fc.asyncProperty(fc.array(contents, { minLength: 1, maxLength: 3 }), fc.integer({ min: 500, max: 70_000 }), async (files, piece) => {
      const gear = gearOf();
      const reader = new FileReader(countingStore().store, gear, sizes);
      for (const content of files) expect(await readRecords(reader, content, piece)).toEqual(plainRecords(content, gear));
    }), { numRuns: 40 });
  });

  it('names the largest chunk of zeros once, whatever the number of such chunks and files', async () => {
    const { store, added } = countingStore();
    const gear = zerosCut(0x1234_5679);
    expect(createChunker(gear, sizes, sizes.max).zerosRun).toBe(true);
    const reader = new FileReader(store, gear, sizes);
    for (let file = 0; file < 3; file++) await readRecords(reader, Buffer.alloc(50 * sizes.max), 20_000);
    expect(added).toEqual([sizes.max]);
  });
});
