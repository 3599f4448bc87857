import type { Sql } from '#event-store';
import { type ReadTable, readSchema } from './read-table.ts';

/** Every row of the tables as text, ordered by table and key: equal rows give equal dumps. */
export const dumpTables = async (sql: Sql, tables: readonly ReadTable[]): Promise<string[]> => {
  const lines: string[] = [];
  for (const { name, primary } of [...tables].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { rows } = await sql.query<{ line: string }>(
      `select row_to_json(t)::text as line from ${readSchema}.${name} t order by ${primary.name}::text collate "C"`);
    lines.push(...rows.map((row) => `${name} ${row.line}`));
  }
  return lines;
};
