import { expect, it } from 'vitest';
import { decodeOutcomes, encodeOutcomes, type FileOutcome } from './file-outcomes.ts';

it('outcomes come out of their message as they went in, whatever became of the files', () => {
  const outcomes: readonly FileOutcome[] = [
    { slot: 7, size: 10, references: Uint8Array.of(1, 2, 3) },
    { slot: 8, size: 0, fault: { code: 'vanished', detail: 'gone' } },
    { slot: 9, size: 0, references: new Uint8Array(0) },
    { slot: 12, size: 2 ** 40, references: Uint8Array.of(9), facts: BigInt64Array.of(1n, 2n, 3n, 4n, 5n) },
    { slot: 13, size: 5, references: Uint8Array.of(4, 5), facts: BigInt64Array.of(0n), fault: { code: 'changed-while-read', detail: 'changed' } },
    { slot: 11, size: 3, references: Uint8Array.of(6, 7) },
  ];
  expect([...decodeOutcomes(structuredClone(encodeOutcomes(outcomes)))]).toEqual(outcomes);
  expect([...decodeOutcomes(encodeOutcomes([]))]).toEqual([]);
});
