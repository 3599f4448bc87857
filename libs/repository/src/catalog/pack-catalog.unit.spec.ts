import { expect, it } from 'vitest';
import { objectNotFound, type ObjectReader } from '#storage';
import { handedKeys } from '../keys/key-ring.ts';
import { addPacks, PackCatalog } from './pack-catalog.ts';

it('few directories wait in memory for one before them that takes long', async () => {
  const packs = Array.from({ length: 100 }, (_, n) => ({ name: `pack ${n}`, size: 1_000 }));
  const asked: string[] = [];
  let goOn: () => void = () => undefined;
  const first = new Promise<void>((resolve) => { goOn = resolve; });
  const reader: ObjectReader = {
    head: async () => undefined,
    get: async (name) => {
      asked.push(name);
      if (name === 'pack 0') await first;
      throw objectNotFound(name);
    },
  };
  const catalog = new PackCatalog();
  const adding = addPacks(catalog, { reader, keys: handedKeys([]), repositoryId: 'ab'.repeat(16) }, packs);
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(8);
  goOn();
  await adding;
  expect(catalog.troubles.map(({ name }) => name)).toEqual(packs.map(({ name }) => name));
});
