import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { freePort } from '#testing';
import { endLeftover, postgresUrl, startEmbeddedPostgres } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a database that was killed comes back with its rows, and a leftover server is ended by the next start', async () => {
  const options = { folder, port: await freePort(), password: 'p@ss word', clock: systemClock };
  const first = await startEmbeddedPostgres(options);
  const client = new pg.Client({ connectionString: postgresUrl(options) });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('create table t (x int); insert into t values (7)');
  expect(await endLeftover(join(folder, 'run', 'postgres.pid'), systemClock, 'SIGINT')).toBe(true);
  // The process table knows it before this process is told.
  await first.exited;
  expect(first.running()).toBe(false);

  const second = await startEmbeddedPostgres(options);
  const again = new pg.Client({ connectionString: postgresUrl(options) });
  await again.connect();
  expect((await again.query<{ x: number }>('select x from t')).rows).toEqual([{ x: 7 }]);
  await again.end();
  await second.stop('SIGINT');
  expect(second.running()).toBe(false);
});
