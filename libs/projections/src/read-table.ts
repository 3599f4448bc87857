import type { DataSource } from 'typeorm';
import { fault } from '#kernel';
import type { ReadModel } from './read-model.ts';

/** A column of a read table. */
interface ReadColumn {
  /** Property of the row. */
  readonly property: string;
  /** Name in Postgres, quoted. */
  readonly name: string;
  /** Name in Postgres, as a key of JSON. */
  readonly key: string;
}

/** A read model with its table, and what its statements need. */
export interface ReadTable {
  readonly model: ReadModel;
  /** Name inside its schema, quoted. */
  readonly name: string;
  readonly columns: readonly ReadColumn[];
  readonly primary: ReadColumn & { readonly type: string };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const sqlTypes: Readonly<Record<string, string>> = { varchar: 'text', string: 'text', number: 'integer', int: 'integer', int8: 'bigint' };

/** The schema that read models live in. */
export const readSchema = 'read';

/** Looks the tables of the models up in the entities of an initialized data source; a model that cannot be projected is a fault. */
export const readTables = (dataSource: DataSource, models: readonly ReadModel[]): ReadTable[] => {
  if (new Set(models.map((model) => model.name)).size !== models.length) throw fault('internal', 'read-model-twice', 'Two read models have the same name');
  return models.map((model) => {
    const metadata = dataSource.getMetadata(model.entity);
    const [primary, ...more] = metadata.primaryColumns;
    if (metadata.schema !== readSchema || !primary || more.length > 0 || metadata.generatedColumns.length > 0) {
      throw fault('internal', 'read-model-invalid', `The table of ${model.name} must lie in the schema "${readSchema}", with one primary column and nothing generated`);
    }
    const columns = metadata.columns.map(({ propertyName, databaseName }) => ({ property: propertyName, name: quoted(databaseName), key: databaseName }));
    const type = typeof primary.type === 'string' ? primary.type : primary.type.name.toLowerCase();
    return {
      model, columns, name: quoted(metadata.tableName),
      primary: { property: primary.propertyName, name: quoted(primary.databaseName), key: primary.databaseName, type: sqlTypes[type] ?? type },
    };
  });
};
