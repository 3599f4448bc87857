import { startPostgres } from './postgres.ts';

/** For vitest's `globalSetup`: one Postgres for all files of a run, on which `startDatabase` makes databases. Ends with the run. */
export default async (): Promise<() => Promise<void>> => {
  const postgres = await startPostgres();
  process.env['HOLDFAST_TEST_POSTGRES'] = postgres.url;
  return () => postgres.stop();
};
