import pg from 'pg';
import type { Sql } from '#event-store';
import { storableJson } from '#kernel';
import type { ReadTable } from './read-table.ts';

/** A row by its key; undefined: there is none. */
export type Rows = Map<string, object | undefined>;

/** Counts and sizes are numbers in read models: 2^53 bytes is nine petabytes. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

/** Where the tables lie: the schema in use, or the one that a rebuild fills. */
export interface Place {
  readonly sql: Sql;
  readonly schema: string;
}

/** Named, so that a session plans it once. */
const named = ({ schema }: Place, table: ReadTable, what: string, text: string) => ({ name: `${what} ${schema}.${table.model.name}`, text });

const tableOf = ({ schema }: Place, { name }: ReadTable): string => `${schema}.${name}`;

/** Adds the rows of `keys` to `rows`, absent ones too. */
export const selectRows = async (place: Place, table: ReadTable, keys: readonly string[], rows: Rows): Promise<void> => {
  if (keys.length === 0) return;
  const { columns, primary } = table;
  const list = columns.map((column) => `${column.name} as "${column.property}"`).join(', ');
  const text = `select ${list} from ${tableOf(place, table)} where ${primary.name} = any($1::${primary.type}[])`;
  for (const key of keys) rows.set(key, undefined);
  const found = await place.sql.query({ ...named(place, table, 'select', text), values: [keys], types });
  for (const row of found.rows as Record<string, unknown>[]) rows.set(String(row[primary.property]), row);
};

const stored = ({ columns }: ReadTable, row: object): Record<string, unknown> => {
  const named: Record<string, unknown> = {};
  for (const { property, key } of columns) named[key] = (row as Record<string, unknown>)[property] ?? null;
  return named;
};

/** Writes the changed rows with one statement, and deletes those that are gone with another. */
export const writeRows = async (place: Place, table: ReadTable, rows: Rows, changed: ReadonlySet<string>): Promise<void> => {
  const [kept, gone]: [object[], string[]] = [[], []];
  for (const key of changed) {
    const row = rows.get(key);
    if (row) kept.push(stored(table, row));
    else gone.push(key);
  }
  const { columns, primary } = table;
  const into = tableOf(place, table);
  if (gone.length > 0) await place.sql.query(`delete from ${into} where ${primary.name} = any($1::${primary.type}[])`, [gone]);
  if (kept.length === 0) return;
  const names = columns.map((column) => column.name);
  const updates = names.filter((name) => name !== primary.name).map((name) => `${name} = excluded.${name}`);
  const text =
    `insert into ${into} (${names.join(', ')}) select ${names.join(', ')} from json_populate_recordset(null::${into}, $1::json)
     on conflict (${primary.name}) do ${updates.length > 0 ? `update set ${updates.join(', ')}` : 'nothing'}`;
  await place.sql.query({ ...named(place, table, 'write', text), values: [storableJson(JSON.stringify(kept))] });
};
