import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareManifestPaths } from './path-order.ts';

/** The order as the format says it, in the plainest words: directories as lists of names, then the name. */
const naive = (a: Buffer, b: Buffer): number => {
  const parts = (path: Buffer): Buffer[] => path.toString('latin1').split('/').map((part) => Buffer.from(part, 'latin1'));
  const [x, y] = [parts(a), parts(b)];
  const [nameX, nameY] = [x.pop() as Buffer, y.pop() as Buffer];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = Buffer.compare(x[i] as Buffer, y[i] as Buffer);
    if (order !== 0) return order;
  }
  return x.length - y.length || Buffer.compare(nameX, nameY);
};

// Bytes around the separator and at the ends of the range, so that prefixes and neighbours of `/` are frequent.
const name = fc.array(fc.constantFrom(0x01, 0x2e, 0x2d, 0x30, 0x61, 0xff), { minLength: 1, maxLength: 3 }).map((codes) => Buffer.from(codes));
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => Buffer.from(names.map((one) => one.toString('latin1')).join('/'), 'latin1'));

describe('the order of the manifest', () => {
  it('is that of lists of names, for any two paths', () => {
    fc.assert(fc.property(path, path, (a, b) => {
      expect(Math.sign(compareManifestPaths(a, b))).toBe(Math.sign(naive(a, b)));
    }), { numRuns: 5000 });
  });

  it('is total: sorting any shuffle gives the same list', () => {
    fc.assert(fc.property(fc.array(path, { maxLength: 20 }), (paths) => {
      const sorted = [...paths].sort(compareManifestPaths);
      expect([...paths].reverse().sort(compareManifestPaths).map(String)).toEqual(sorted.map(String));
    }));
  });

  it('puts all children of a directory before the children of its first child directory', () => {
    const paths = ['a', 'b', 'a/x', 'a/y', 'a/x/1', 'a/y/1', 'a-b/1', 'b/1'].map((text) => Buffer.from(text));
    expect([...paths].sort(compareManifestPaths).map(String)).toEqual(['a', 'b', 'a/x', 'a/y', 'a/x/1', 'a/y/1', 'a-b/1', 'b/1']);
  });
});
