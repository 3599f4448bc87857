import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortedOrder, sortedShared } from './sorted-ids.ts';

/** Ids that differ in their first bytes, in their last only, or not at all. */
const ids = fc.array(fc.tuple(fc.nat(3), fc.nat(3)).map(([first, last]) => {
  const id = Buffer.alloc(32, 0xfe);
  id[3] = first;
  id[31] = last;
  return id;
}), { maxLength: 50 });

it('ids are in the order of their raw bytes, wherever they differ', () => {
  fc.assert(fc.property(ids, (some) => {
    const sorted = [...some].sort((a, b) => a.compare(b));
    expect(Buffer.from(sortedShared(Buffer.concat(some))).equals(Buffer.concat(sorted))).toBe(true);
    expect([...sortedOrder(Buffer.concat(some))].sort((a, b) => a - b)).toEqual(some.map((_, index) => index));
  }));
});
