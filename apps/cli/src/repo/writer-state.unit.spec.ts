import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { tempDir } from '#testing';
import { readLastSnapshots, readSettings, writeLastSnapshots, writeSettings } from './writer-state.ts';

const damages = ['', '{', 'null', '7', '[]', '{}', '{"dataRecipients":"age1","catalogRecipients":[]}', '{"a":{"sha256":1,"time":""}}'];
const settings = { dataRecipients: ['age1x'], catalogRecipients: [] };
let dir: string;
beforeEach(async () => { dir = await tempDir('writer-state'); });

it.each(damages)('recipients that read %o are no recipients, and the sentence says how to write them anew', async (text) => {
  await writeFile(join(dir, 'recipients.json'), text);
  expect(() => readSettings(dir)).toThrow(/writer-state-damaged.*recipients\.json is damaged.*holdfast repo init again/);
  writeSettings(dir, settings);
  expect(readSettings(dir)).toEqual(settings);
});

it.each(damages)('last snapshots that read %o count as none', async (text) => {
  await writeFile(join(dir, 'last.json'), text);
  expect(Object.values(readLastSnapshots(dir))).toEqual([]);
  writeLastSnapshots(dir, { a: { sha256: 'x', time: 't' } });
  expect(readLastSnapshots(dir)).toEqual({ a: { sha256: 'x', time: 't' } });
});
