import { createHash, randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '#kernel';
import { createChunker } from './chunker.ts';
import { catalogChunkId, checkChunk, dataChunkId } from './chunk-id.ts';
import { FrameCompressor } from './frame-compressor.ts';
import { decodeFrame, encodeFrame, frameCipher, unpack } from './frame.ts';
import { deriveSubkeys, generateAttemptKeys, generateKey, keyFrom, keyIdOf, repositoryIdOf } from './keys.ts';
import { codec, frameClass, limits } from './limits.ts';
import { hashOfName, objectNames, parseObjectName } from './names.ts';
import { decodeDirectory, decodeTrailer, encodeDirectory, openDirectory, type PackedFrame, sealDirectory, trailerBytes } from './pack.ts';
import { decodeRepositoryFile, encodeRepositoryFile } from './repository-file.ts';
import { checkSnapshotMac, encodeSnapshot, openCatalogSection, openDataSection, parseSnapshot, type SnapshotHeader } from './snapshot.ts';
import { generateIdentity, recipientOf, unwrapKey, wrapKey } from './wrapping.ts';

const idKey = keyFrom(Buffer.alloc(32, 7));
const repository = repositoryIdOf(idKey.bytes);
const keys = generateAttemptKeys();
const cipher = frameCipher(repository, keys.data);
const catalogCipher = frameCipher(repository, keys.catalog);

/** Every code an honest reader answers hostile bytes with; anything else (a RangeError, say) would be a crash. */
const refuses = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    if (isAppError(error)) return true;
    throw error;
  }
};

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

describe('keys', () => {
  it('have the ids and subkeys that the specification computes', () => {
    // Computed by another implementation (Python's hmac and hashlib).
    expect(keyIdOf(idKey.bytes)).toBe('c641bfac13d178791973c277bf9d0070');
    expect(repository).toBe('822e42e32016f0a8ebd4efd30683919e');
    const subkeys = deriveSubkeys(idKey.bytes);
    expect([subkeys.chunkId.length, subkeys.gear.length, subkeys.manifestCut.length, subkeys.snapshot.length]).toEqual([32, 1024, 32, 32]);
    expect(subkeys.chunkId.toString('hex')).toBe('9ba14269df383e500c5448a448007dacf3584cf98513edaf20d5ca1aee46d23f');
    expect(subkeys.gear.toString('hex', 1020)).toBe('b06fe13d');
    expect(subkeys.snapshot.toString('hex', 0, 8)).toBe('bcdb7c6f42e9facd');
  });

  it('are unwrapped by each recipient alone, and prove which key they are', async () => {
    const [first, second, stranger] = [await generateIdentity(), await generateIdentity(), await generateIdentity()];
    const key = generateKey();
    const file = await wrapKey(key, [first.recipient, second.recipient]);
    expect((await unwrapKey(file, key.id, [first.identity]))?.bytes).toEqual(Buffer.from(key.bytes));
    expect((await unwrapKey(file, key.id, [second.identity]))?.id).toBe(key.id);
    expect(await unwrapKey(file, key.id, [stranger.identity])).toBeUndefined();
    await expect(unwrapKey(file, generateKey().id, [first.identity])).rejects.toMatchObject({ code: 'key-damaged' });
    await expect(unwrapKey(flipped(file, file.length - 3), key.id, [first.identity])).rejects.toMatchObject({ code: 'key-damaged' });
    expect(await recipientOf(first.identity)).toBe(first.recipient);
  });
});

describe('a frame', () => {
  it('comes back as it went in, for every content', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (bytes, repeat) => {
      const plain = repeat ? Buffer.concat([bytes, bytes, bytes]) : Buffer.from(bytes);
      const { codec: packed, sealed } = encodeFrame(cipher, frameClass.data, plain);
      expect(Buffer.from(decodeFrame(cipher, { class: frameClass.data, codec: packed, plainLength: plain.length }, sealed))).toEqual(plain);
    }));
  });

  it('opens under no other bytes, class, codec, key or repository', () => {
    const plain = Buffer.from('some content that is long enough to be compressed'.repeat(10));
    const { codec: packed, sealed } = encodeFrame(cipher, frameClass.data, plain);
    for (let at = 0; at < sealed.length; at++) expect(refuses(() => cipher.open(frameClass.data, packed, flipped(sealed, at)))).toBe(true);
    for (let end = 0; end < sealed.length; end += 7) expect(refuses(() => cipher.open(frameClass.data, packed, sealed.subarray(0, end)))).toBe(true);
    expect(refuses(() => cipher.open(frameClass.catalog, packed, sealed))).toBe(true);
    expect(refuses(() => cipher.open(frameClass.data, codec.raw, sealed))).toBe(true);
    expect(refuses(() => catalogCipher.open(frameClass.data, packed, sealed))).toBe(true);
    expect(refuses(() => frameCipher('00'.repeat(16), keys.data).open(frameClass.data, packed, sealed))).toBe(true);
  });

  it('is decoded to its declared length and not a byte further', () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024));
    expect(refuses(() => unpack(codec.zstd, bomb, 1024))).toBe(true);
    expect(refuses(() => unpack(codec.zstd, bomb, limits.plainBytes))).toBe(true);
    expect(refuses(() => unpack(codec.zstd, bomb, 64 * 1024 * 1024))).toBe(true);
    expect(refuses(() => unpack(codec.zstd, zstdCompressSync(Buffer.alloc(100)), 101))).toBe(true);
    expect(refuses(() => unpack(codec.raw, Buffer.alloc(100), 101))).toBe(true);
    expect(refuses(() => unpack(codec.zstd, Buffer.from('not zstd'), 8))).toBe(true);
  });
});

const frame = (offset: number, chunks: number): PackedFrame => ({
  offset, length: 100, class: frameClass.data, codec: codec.zstd, keyId: keys.data.id, plainLength: chunks * 10,
  chunks: Array.from({ length: chunks }, () => ({ id: randomBytes(32), length: 10 })),
});

describe('a pack', () => {
  const frames = [frame(0, 1), frame(100, 3), frame(200, 0)];
  const { directory, trailer } = sealDirectory(catalogCipher, frames);
  const size = 300 + directory.length + trailerBytes;

  it('has a directory that comes back as it went in', () => {
    expect(decodeTrailer(trailer)).toEqual({ directoryLength: directory.length, catalogKeyId: keys.catalog.id });
    expect(openDirectory(catalogCipher, directory, trailer, size)).toEqual(frames);
  });

  it('shows an altered byte of directory or trailer, wherever it is', () => {
    for (let at = 0; at < directory.length; at++) expect(refuses(() => openDirectory(catalogCipher, flipped(directory, at), trailer, size))).toBe(true);
    for (let at = 0; at < trailer.length; at++) {
      expect(refuses(() => (decodeTrailer(flipped(trailer, at)), openDirectory(catalogCipher, directory, flipped(trailer, at), size)))).toBe(true);
    }
  });

  it('refuses frames that overlap, lie outside, or do not add up', () => {
    const refused = (...list: PackedFrame[]): boolean => refuses(() => decodeDirectory(encodeDirectory(list), 300));
    expect(refused(frame(0, 1), frame(50, 1))).toBe(true);
    expect(refused(frame(250, 1))).toBe(true);
    expect(refused({ ...frame(0, 2), plainLength: 19 })).toBe(true);
    expect(refused({ ...frame(0, 1), class: 3 as never })).toBe(true);
    expect(refused({ ...frame(0, 1), codec: 9 as never })).toBe(true);
    expect(refused({ ...frame(0, 0), plainLength: 0xffff_ffff })).toBe(true);
  });

  it('answers arbitrary directories with a refusal, never with a crash', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      refuses(() => decodeDirectory(bytes, 1000));
      refuses(() => decodeTrailer(bytes));
    }));
  });
});

const header: SnapshotHeader = {
  format: 1, requires: [], repository, snapshot: 'snap_1', task: 'task_1', time: '2026-01-01T00:00:00.000Z',
  idKey: idKey.id, dataKey: keys.data.id, catalogKey: keys.catalog.id,
};

describe('a snapshot', () => {
  const macKey = deriveSubkeys(idKey.bytes).snapshot;
  const sections = { catalog: { form: 'inline' as const, plain: Buffer.from('catalog '.repeat(20)) }, data: { form: 'inline' as const, plain: Buffer.from('data') } };
  const make = (changes: Partial<SnapshotHeader> = {}): Buffer => encodeSnapshot({ ...header, ...changes }, sections, { catalog: catalogCipher, data: cipher, macKey });
  const object = make();

  it('comes back as it went in', () => {
    const sealed = parseSnapshot(object);
    checkSnapshotMac(sealed, macKey);
    expect(sealed.header).toEqual(header);
    expect(openCatalogSection(sealed, catalogCipher)).toMatchObject({ form: 'inline' });
    const data = openDataSection(sealed, cipher);
    expect(data.form === 'inline' && Buffer.from(data.plain).toString()).toBe('data');
  });

  it('shows every altered or missing byte', () => {
    for (let at = 0; at < object.length; at++) expect(refuses(() => checkSnapshotMac(parseSnapshot(flipped(object, at)), macKey))).toBe(true);
    for (let end = 0; end < object.length; end++) expect(refuses(() => checkSnapshotMac(parseSnapshot(object.subarray(0, end)), macKey))).toBe(true);
    expect(refuses(() => parseSnapshot(Buffer.concat([object, Buffer.alloc(1)])))).toBe(true);
  });

  it('cannot be put together from the parts of two, nor forged without the id key', () => {
    const other = make({ snapshot: 'snap_2' });
    const [a, b] = [parseSnapshot(object), parseSnapshot(other)];
    expect(refuses(() => openCatalogSection({ ...a, catalog: b.catalog }, catalogCipher))).toBe(true);
    expect(refuses(() => checkSnapshotMac(a, deriveSubkeys(generateKey().bytes).snapshot))).toBe(true);
  });

  it('is refused by name when it needs what this program does not know', () => {
    expect(() => parseSnapshot(make({ requires: ['time-travel'] }))).toThrow(/feature-unknown.*time-travel/);
    expect(() => parseSnapshot(make({ format: 2 }))).toThrow(/format-unknown/);
  });
});

describe('compressed frames', () => {
  it('of one compressor come back one by one, whatever their order and size', async () => {
    const compressor = new FrameCompressor();
    const text = Buffer.from('a line of a log file, and another one\n'.repeat(60_000));
    const plains = [text, randomBytes(3_000_000), text.subarray(0, 31), Buffer.alloc(0), Buffer.alloc(8_000_000), text.subarray(5), randomBytes(33), text];
    for (const plain of plains) {
      const { codec: used, parts } = await compressor.compress(plain);
      const bytes = Buffer.concat(parts);
      expect(bytes.length).toBeLessThanOrEqual(plain.length);
      expect(Buffer.from(unpack(used, bytes, plain.length)).equals(plain)).toBe(true);
    }
    expect((await compressor.compress(text)).codec).toBe(codec.zstd);
    expect((await compressor.compress(randomBytes(100_000))).codec).toBe(codec.raw);
  });
});

describe('repository.json', () => {
  it('comes back as it went in and refuses what is malformed', () => {
    const chunker = { min: 262_144, average: 1_048_576, max: 8_388_608 };
    const bytes = encodeRepositoryFile(repository, idKey.id, chunker);
    expect(decodeRepositoryFile(bytes)).toEqual({ format: 1, requires: [], repository, idKey: idKey.id, chunker });
    for (const text of ['', '{}', 'null', '[]', bytes.toString().replace('262144', '0'), bytes.toString().replace(repository, 'x')]) {
      expect(refuses(() => decodeRepositoryFile(Buffer.from(text)))).toBe(true);
    }
  });
});

describe('names', () => {
  it('are taken apart as they are made, and nothing else is', () => {
    const sha = createHash('sha256').update('x').digest();
    expect(parseObjectName(objectNames.pack(sha))).toEqual({ kind: 'pack', id: '', sha256: sha.toString('hex') });
    expect(parseObjectName(objectNames.snapshot('snap_1', sha))?.id).toBe('snap_1');
    expect(hashOfName(objectNames.dataKey(keys.data.id, sha))).toEqual(sha);
    for (const name of ['repository.json', 'packs/00/' + sha.toString('hex'), '../etc/passwd', 'snapshots/a/b', '']) expect(parseObjectName(name)).toBeUndefined();
  });
});

describe('chunk ids', () => {
  it('are checked against the content', () => {
    const plain = Buffer.from('content');
    checkChunk(frameClass.data, dataChunkId(idKey.bytes, plain), plain, idKey.bytes);
    checkChunk(frameClass.catalog, catalogChunkId(plain), plain);
    expect(refuses(() => checkChunk(frameClass.data, catalogChunkId(plain), plain, idKey.bytes))).toBe(true);
    expect(refuses(() => checkChunk(frameClass.catalog, catalogChunkId(plain), Buffer.from('other')))).toBe(true);
  });
});

describe('the chunker', () => {
  const sizes = { min: 1024, average: 4096, max: 32_768 };
  const { gear } = deriveSubkeys(idKey.bytes);
  const cuts = (bytes: Uint8Array, pieces: readonly number[] = []): number[] => {
    const chunker = createChunker(gear, sizes, bytes.length);
    chunker.content.set(bytes);
    const found: number[] = [];
    let start = 0;
    for (const end of [...pieces, bytes.length]) {
      for (let cut = chunker.cut(start, end); cut >= 0; cut = chunker.cut(start, end)) found.push(start = cut);
    }
    return start < bytes.length ? [...found, bytes.length] : found;
  };
  const content = randomBytes(400_000);

  it('keeps to its limits, in order, to the end', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 400_000 }), (length) => {
      const found = cuts(content.subarray(0, length));
      const lengths = found.map((cut, index) => cut - (found[index - 1] ?? 0));
      expect(lengths.reduce((sum, one) => sum + one, 0)).toBe(length);
      expect(lengths.slice(0, -1).every((one) => one > sizes.min && one <= sizes.max)).toBe(true);
    }), { numRuns: 30 });
    expect(cuts(Buffer.alloc(100_000)).slice(0, 3)).toEqual([32_768, 65_536, 98_304]);
  });

  it('cuts where the specification says', () => {
    const specified: number[] = [];
    for (let start = 0; start < content.length;) {
      let [hash, end] = [0, start + sizes.min];
      for (; end < content.length && end - start < sizes.max; end++) {
        hash = ((hash * 2) + gear.readUInt32LE((content[end] as number) * 4)) % 2 ** 32;
        const zeroBits = 12 + (end - start < sizes.average ? 2 : -2);
        if (hash < 2 ** (32 - zeroBits)) {
          end++;
          break;
        }
      }
      specified.push(start = Math.min(end, content.length));
    }
    expect(cuts(content)).toEqual(specified);
  });

  it('cuts at the same places however the content arrives', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 400_000 }), { maxLength: 20 }), (pieces) => {
      expect(cuts(content, pieces.sort((a, b) => a - b))).toEqual(cuts(content));
    }), { numRuns: 30 });
  });

  it('finds the same chunks again behind an insertion', () => {
    const before = new Set(cuts(content).map((cut) => cut));
    const after = cuts(Buffer.concat([randomBytes(100), content])).map((cut) => cut - 100);
    expect(after.filter((cut) => before.has(cut)).length).toBeGreaterThan(before.size * 0.8);
    expect(Math.abs(content.length / before.size - 4096 * 1.1)).toBeLessThan(4096);
  });
});
