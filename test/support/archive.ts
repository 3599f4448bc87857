import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { postgresUrl } from '#embedded';
import type { EmbeddedStack } from './embedded-stack.ts';

/** An event of the archive, as far as a test looks at it. */
export interface ArchivedEvent {
  readonly sequence: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** Asks the database of a stack. */
export const query = async <Row extends pg.QueryResultRow>(stack: EmbeddedStack, sql: string): Promise<Row[]> => {
  const { postgres } = JSON.parse(readFileSync(join(stack.data, 'ports.json'), 'utf8')) as { postgres: number };
  const password = readFileSync(join(stack.data, 'postgres.password'), 'utf8').trim();
  const client = new pg.Client({ connectionString: postgresUrl({ port: postgres, password }) });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
};

/** All events of parent runs, in the order of the log. */
export const parentRunEvents = (stack: EmbeddedStack): Promise<ArchivedEvent[]> =>
  query<ArchivedEvent>(stack, "select sequence, aggregate_type, aggregate_id, type, data from archive.events where aggregate_type = 'parent-run' order by sequence");

/** All events of runs, in the order of the log. */
export const runEvents = (stack: EmbeddedStack): Promise<ArchivedEvent[]> =>
  query<ArchivedEvent>(stack, "select sequence, aggregate_type, aggregate_id, type, data from archive.events where aggregate_type = 'run' order by sequence");
