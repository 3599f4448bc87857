import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dataRuns } from './sparse.ts';

const piece = fc.array(fc.oneof(
  fc.integer({ min: 1, max: 10_000 }).map((length) => Buffer.alloc(length)),
  fc.integer({ min: 1, max: 5000 }).map((length) => Buffer.alloc(length, 'data')),
  fc.integer({ min: 1, max: 5000 }).map((length) => Buffer.concat([Buffer.alloc(length), Buffer.from('x')])),
), { maxLength: 5 }).map((parts) => Buffer.concat(parts));

it('writing the runs into a fresh file gives the bytes, wherever the piece goes', () => {
  fc.assert(fc.property(piece, fc.integer({ min: 0, max: 20_000 }), (bytes, position) => {
    const written = Buffer.alloc(bytes.length);
    let end = 0;
    for (const run of dataRuns(bytes, position)) {
      expect(run.start).toBeGreaterThanOrEqual(end);
      expect(run.end).toBeGreaterThan(run.start);
      bytes.copy(written, run.start, run.start, run.end);
      end = run.end;
    }
    expect(written.equals(bytes)).toBe(true);
  }));
});

it('no whole block of zeros is written', () => {
  const bytes = Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(12_288), Buffer.alloc(10, 2)]);
  expect([...dataRuns(bytes, 0)]).toEqual([{ start: 0, end: 4096 }, { start: 16_384, end: 16_394 }]);
  expect([...dataRuns(Buffer.alloc(100_000), 77)]).toEqual([]);
});
