import { expect, it } from 'vitest';
import { progressText } from './progress-text.ts';

it('a line of progress says what is known, and what is only expected', () => {
  const counted = { files: 10, bytes: 1024 * 1024 };
  expect(progressText(counted, 10_000)).toBe('10.0 s  10 files  1.00 MiB  102.4 KiB/s');
  expect(progressText({ ...counted, totalFiles: 40, totalBytes: 4 * 1024 * 1024 }, 10_000)).toBe('10.0 s  25 %  10 files  1.00 MiB  102.4 KiB/s  30.0 s left');
  expect(progressText({ ...counted, totalFiles: 40, totalBytes: 4 * 1024 * 1024, estimated: true, remainingMs: 61_000 }, 10_000))
    .toBe('10.0 s  ~25 %  10 files  1.00 MiB  102.4 KiB/s  ~1m 01s left');
  expect(progressText({ files: 0, bytes: 0, totalFiles: 40, totalBytes: 400, estimated: true }, 0)).toBe('0 ms  ~0 %  0 files  0 B');
  expect(progressText({ files: 1, bytes: 5 }, 0)).toBe('0 ms  1 file  5 B');
});
