import { expect, it } from 'vitest';
import { remainingMs, shareDone } from './remaining.ts';

it.each([
  ['no totals', { files: 3, bytes: 10 }, undefined, undefined],
  ['a quarter of the bytes', { files: 9, bytes: 25, totalFiles: 10, totalBytes: 100 }, 0.25, 30_000],
  ['files without content', { files: 5, bytes: 0, totalFiles: 10, totalBytes: 0 }, 0.5, 10_000],
  ['nothing yet', { files: 0, bytes: 0, totalFiles: 10, totalBytes: 100 }, 0, undefined],
  ['more than was thought', { files: 11, bytes: 120, totalFiles: 10, totalBytes: 100 }, 1, 0],
  ['nothing to do', { files: 0, bytes: 0, totalFiles: 0, totalBytes: 0 }, undefined, undefined],
])('of %s says what can be said', (_what, work, share, left) => {
  expect([shareDone(work), remainingMs(work, 10_000)]).toEqual([share, left]);
  expect(remainingMs(work, 1_999)).toBeUndefined();
});
