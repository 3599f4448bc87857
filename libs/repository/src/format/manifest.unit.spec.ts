import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '#kernel';
import { compareManifestPaths } from '#sources';
import { decodeManifestChunk, manifestCutter } from './manifest.ts';
import { checkPath, type ManifestEntry } from './manifest-entry.ts';
import { decodeManifestLine, encodeManifestLine } from './manifest-line.ts';
import { decodeList, decodeReferences, encodeReferences, expandReferences, ReferenceCollector } from './refs.ts';
import { decodeCatalogSection, decodeDataSection, decodeDataSectionChunks, decodeSectionBody, encodeCatalogSection, encodeDataSection, encodeSectionBody, noRefs } from './sections.ts';
import { limits } from './limits.ts';

const refuses = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    if (isAppError(error)) return true;
    throw error;
  }
};

const entry = (path: Buffer | string, changes: Partial<ManifestEntry> = {}): ManifestEntry => ({
  path: Buffer.from(path), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 5, mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: -1n,
  inode: 2n ** 63n, device: 64_769n, links: 1, references: 1, ...changes,
});

const name = fc.uint8Array({ minLength: 1, maxLength: 8 }).filter((bytes) => !bytes.includes(0) && !bytes.includes(0x2f) && !/^\.\.?$/.test(Buffer.from(bytes).toString()));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => Buffer.concat(names.flatMap((one, index) => (index > 0 ? [Buffer.from('/'), one] : [one]))));

describe('a manifest line', () => {
  it('comes back as it went in, whatever the bytes of its names', () => {
    fc.assert(fc.property(path, path, fc.option(name), fc.nat(16), (at, target, attribute, references) => {
      const line = entry(at, {
        references, user: 'nobody "\u{1f5c4}"', hardlink: '1:2', links: 2, linkTarget: target, rdev: 7n, flags: ['sparse'],
        ...(attribute ? { xattrs: [{ name: Buffer.from(attribute), value: randomBytes(4) }] } : {}),
      });
      expect(decodeManifestLine(encodeManifestLine(line))).toEqual(line);
    }));
  });

  it('is the JSON of the specification: keys in order, no spaces, times and inodes as text, absent not null', () => {
    expect(encodeManifestLine(entry('a/b')).toString()).toBe(
      '{"path":"a/b","type":"file","mode":420,"uid":0,"gid":0,"size":5,"mtime":"1700000000123456789","ctime":"-1",' +
      '"inode":"9223372036854775808","device":"64769","references":1}\n');
    expect(encodeManifestLine(entry(Buffer.from([0xff]), { references: 0 })).toString()).toContain('{"path64":"/w==",');
  });

  it.each(['', '/a', 'a/', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\0b'])('with the path %j is refused by writer and reader', (bad) => {
    expect(refuses(() => checkPath(Buffer.from(bad)))).toBe(true);
    expect(refuses(() => encodeManifestLine(entry(bad)))).toBe(true);
    expect(refuses(() => decodeManifestLine(Buffer.from(encodeManifestLine(entry('good')).toString().replace('good', bad.replace('\0', '\\u0000')))))).toBe(true);
  });

  it('that is malformed is refused, never a crash', () => {
    const good = encodeManifestLine(entry('a')).toString();
    for (const [from, to] of [['"mode":420', '"mode":70000'], ['"size":5', '"size":-1'], ['"size":5', '"size":1e300'], ['"mtime":"17', '"mtime":"x'], ['"type":"file"', '"type":"door"'],
      ['"references":1', '"references":17'], ['"uid":0', '"uid":"0"'], ['"path":"a"', '"path":"a","path64":"YQ=="'], ['"inode":"', '"inode":["']] as const) {
      expect(refuses(() => decodeManifestLine(Buffer.from(good.replace(from, to)))), to).toBe(true);
    }
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void refuses(() => decodeManifestLine(Buffer.from(text)))));
  });
});

describe('a manifest chunk', () => {
  const chunk = (...paths: string[]): Buffer => Buffer.concat(paths.map((one) => encodeManifestLine(entry(one))));

  it('is sorted by directory, then name, as bytes', () => {
    expect(decodeManifestChunk(chunk('a', 'b', 'a/c', 'a/d', 'a/c/x', 'b/c')).map((one) => String(one.path))).toHaveLength(6);
    expect(refuses(() => decodeManifestChunk(chunk('b', 'a')))).toBe(true);
    expect(refuses(() => decodeManifestChunk(chunk('a', 'a')))).toBe(true);
    expect(refuses(() => decodeManifestChunk(chunk('a/c', 'b')))).toBe(true);
    expect(refuses(() => decodeManifestChunk(chunk('b'), Buffer.from('c')))).toBe(true);
    expect(refuses(() => decodeManifestChunk(chunk('a').subarray(0, -1)))).toBe(true);
  });

  it('keeps a directory and a subtree each in one range', () => {
    fc.assert(fc.property(fc.array(path, { maxLength: 30 }), path, (paths, chosen) => {
      const sorted = [...paths].sort(compareManifestPaths);
      const inside = sorted.map((one) => one.toString('latin1').startsWith(`${chosen.toString('latin1')}/`));
      const first = inside.indexOf(true);
      expect(first < 0 || inside.slice(first, inside.lastIndexOf(true) + 1).every(Boolean)).toBe(true);
    }));
  });

  it('is cut by paths alone, about once in 1,024', () => {
    const cuts = manifestCutter(Buffer.alloc(32, 1));
    const hits = Array.from({ length: 20_000 }, (_, index) => cuts(Buffer.from(`some/path/${index}`))).filter(Boolean).length;
    expect(hits).toBeGreaterThan(5);
    expect(hits).toBeLessThan(50);
    expect(cuts(Buffer.from('x'.repeat(5000)))).toBe(cuts(Buffer.from('x'.repeat(5000))));
  });
});

describe('references', () => {
  const collect = (count: number) => {
    const lists = new Map<string, Buffer>();
    const collector = new ReferenceCollector((id, plain) => lists.set(id.toString('hex'), plain));
    const ids = Array.from({ length: count }, () => randomBytes(32));
    ids.forEach((id, index) => collector.add(id, index + 1));
    return { ids, lists, top: collector.finish() };
  };

  it.each([0, 1, 16, 17, 600, 5000, 40_000])('of a file of %i chunks come back in order, at most 16 in the refs chunk', async (count) => {
    const { ids, lists, top } = collect(count);
    expect(top.length).toBeLessThanOrEqual(limits.directReferences);
    expect(decodeReferences(encodeReferences(top))).toEqual(top);
    const found: Buffer[] = [];
    for await (const reference of expandReferences(top, (id) => Promise.resolve(lists.get(id.toString('hex')) as Buffer))) found.push(reference.id);
    expect(found.length).toBe(count);
    expect(Buffer.concat(found).equals(Buffer.concat(ids))).toBe(true);
    for (const plain of lists.values()) expect(decodeReferences(plain).length).toBeLessThanOrEqual(limits.listRecords);
  });

  it('that are malformed are refused', () => {
    const bytes = encodeReferences([{ kind: 1, id: randomBytes(32), length: 5 }]);
    expect(refuses(() => decodeReferences(bytes.subarray(1)))).toBe(true);
    expect(refuses(() => decodeReferences(Buffer.concat([Buffer.from([3]), bytes.subarray(1)])))).toBe(true);
    expect(refuses(() => decodeReferences(Buffer.alloc(41, 0xff)))).toBe(true);
    expect(refuses(() => decodeList(bytes, 6))).toBe(true);
    expect(refuses(() => decodeList(Buffer.alloc(0), 0))).toBe(true);
  });

  it('that lead in circles or too deep end in a refusal', async () => {
    const id = randomBytes(32);
    const list = encodeReferences([{ kind: 2, id, length: 5 }]);
    const walk = async (): Promise<void> => {
      for await (const reference of expandReferences([{ kind: 2, id, length: 5 }], () => Promise.resolve(list))) expect(reference).toBeUndefined();
    };
    await expect(walk()).rejects.toMatchObject({ code: 'refs-damaged' });
  });
});

describe('sections', () => {
  const parts = [{ manifest: randomBytes(32), refs: noRefs, entries: 3, references: 0 }, { manifest: randomBytes(32), refs: randomBytes(32), entries: 1, references: 2 }];
  const chunks = [{ kind: 1 as const, id: randomBytes(32), length: 9 }];

  it('come back as they went in', () => {
    const plain = encodeCatalogSection(parts, chunks);
    expect(decodeCatalogSection(plain)).toEqual(parts);
    expect(decodeDataSectionChunks(plain)).toEqual(chunks);
    const data = { task: { id: 't', name: 'n' }, source: { type: 'files' }, statistics: { files: 1 }, index: [Buffer.from('a'), Buffer.from([0xff])] };
    expect(decodeDataSection(encodeDataSection(data))).toEqual(data);
    expect(decodeSectionBody(encodeSectionBody({ form: 'chunks', references: chunks }))).toEqual({ form: 'chunks', references: chunks });
  });

  it('that are malformed are refused, never a crash', () => {
    const plain = encodeCatalogSection(parts);
    for (let end = 0; end < plain.length; end++) expect(refuses(() => decodeCatalogSection(plain.subarray(0, end)))).toBe(true);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      refuses(() => decodeCatalogSection(bytes));
      refuses(() => decodeDataSection(bytes));
      refuses(() => decodeSectionBody(bytes));
    }));
  });
});
