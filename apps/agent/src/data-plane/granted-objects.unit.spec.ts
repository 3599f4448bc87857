import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '#storage';
import { readInSlices } from './granted-objects.ts';

const bytes = Buffer.alloc(20_000_000, 'list');
const name = `indexes/${createHash('sha256').update(bytes).digest('hex')}`;
const store = memoryStore(new Map([[name, bytes]]));

describe('a list of stored chunks from the target', () => {
  it('is read in slices and is what its name says', async () => {
    const asked: number[] = [];
    const read = await readInSlices({ ...store, get: (one, range, options) => { asked.push(range?.length ?? 0); return store.get(one, range, options); } }, name);
    expect(bytes.equals(read)).toBe(true);
    expect(asked).toEqual([8_388_608, 8_388_608, 3_222_784]);
  });

  it.each([600_000_000, 2 ** 53, Infinity, NaN])('takes no memory when the target says that it has %s bytes', async (size) => {
    const lying = { head: async () => ({ name, size }), get: () => { throw new Error('nothing may be read'); } };
    await expect(readInSlices(lying, name)).rejects.toMatchObject({ code: 'object-too-large' });
  });

  it('is refused when it holds something else', async () => {
    await expect(readInSlices(memoryStore(new Map([[name, Buffer.from('else')]])), name)).rejects.toMatchObject({ code: 'object-damaged' });
    await expect(readInSlices(memoryStore(), name)).rejects.toMatchObject({ code: 'object-damaged' });
  });
});
