import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestDatabase, startDatabase } from '#testing';
import { archiveUp, partitionSize } from './archive-schema.ts';
import { copyToArchive, readArchive, readCheckpoint } from './archive.ts';
import { header } from './codec.ts';

let postgres: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  postgres = await startDatabase();
  pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  pool.on('error', () => undefined);
  for (const statement of archiveUp) await pool.query(statement);
});

afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

it('the archive goes on in a new partition when one is full', async () => {
  const event = (sequence: number) => ({
    sequence, subject: 'hf.events.node.n1', data: `{"at":${sequence}}`,
    headers: { [header.revision]: '1', [header.type]: 'NodeAdded', [header.version]: '1', [header.time]: '2026-01-01T00:00:00.000Z' },
  });
  const sequences = [partitionSize - 1, partitionSize, partitionSize + 1] as const;
  const [first, ...more] = sequences;
  const origin = { created: 'then', channel: 'test' };
  await copyToArchive(pool, [event(first), ...more.map(event)], origin);
  await copyToArchive(pool, [event(3 * partitionSize)], origin);
  expect(await readCheckpoint(pool)).toEqual({ sequence: 3 * partitionSize, created: 'then' });
  const stored = await readArchive(pool, { after: 0, until: 4 * partitionSize, limit: 10 });
  expect(stored.map(({ sequence }) => sequence)).toEqual([...sequences, 3 * partitionSize]);
  expect((await pool.query('select 1 from archive.events_1')).rowCount).toBe(2);
});
