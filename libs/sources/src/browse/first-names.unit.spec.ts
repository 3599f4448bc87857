import fc from 'fast-check';
import { expect, it } from 'vitest';
import { firstNames } from './first-names.ts';

it('keeps the first names in byte order after a given one, whatever order they come in', () => {
  fc.assert(fc.property(
    fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 4 }), { selector: (bytes) => Buffer.from(bytes).toString('hex') }), fc.integer({ min: 1, max: 9 }),
    fc.option(fc.uint8Array({ minLength: 1, maxLength: 4 }), { nil: undefined }), (given, count, after) => {
      const names = firstNames<number>(count, after && Buffer.from(after));
      given.forEach((name, i) => names.add(Buffer.from(name), () => i));
      const expected = given.map((name, i) => ({ name: Buffer.from(name), extra: i })).sort((a, b) => a.name.compare(b.name))
        .filter(({ name }) => !after || name.compare(after) > 0).slice(0, count);
      expect(names.list()).toEqual(expected);
      expect(names.total()).toBe(given.length);
    },
  ));
});
