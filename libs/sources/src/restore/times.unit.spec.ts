import { closeSync, fstatSync, futimesSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utimesArgument } from './times.ts';

it('a time between 1902 and 2100 is set to within 250 ns', () => {
  const directory = mkdtempSync(join(tmpdir(), 'times-'));
  const fd = openSync(join(directory, 'f'), 'w');
  try {
    fc.assert(fc.property(fc.bigInt(-2_100_000_000_000_000_000n, 4_102_444_800_000_000_000n), (ns) => {
      futimesSync(fd, 0, utimesArgument(ns));
      const error = fstatSync(fd, { bigint: true }).mtimeNs - ns;
      expect(error > -250n && error < 250n, `${ns} is off by ${error}`).toBe(true);
    }), { numRuns: 2000, examples: [[0n], [-1n], [1n], [-1_500_000_000n], [-1_000_000_000n], [999_999_999n]] });
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});
