import { Brackets, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { fault } from '#kernel';
import type { PageQuery } from './page.dto.ts';

/** One page of a list. */
export interface Page<T> {
  readonly items: T[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** One column of the order; the columns together are unique and none is null. */
export interface SortKey<E> {
  readonly property: keyof E & string;
  readonly direction: 'ASC' | 'DESC';
}

const invalidCursor = () =>
  fault('validation', 'invalid-cursor', 'Send the nextCursor of the page before unchanged, with the same filters and order; or none');

const encode = <E extends ObjectLiteral>(row: E, keys: readonly SortKey<E>[]): string => {
  const values = keys.map(({ property }) => row[property] as unknown);
  return Buffer.from(JSON.stringify([keys.map(({ property, direction }) => `${property} ${direction}`), values])).toString('base64url');
};

const isScalar = (value: unknown): value is string | number => typeof value === 'string' || Number.isFinite(value);

const decode = <E>(cursor: string, keys: readonly SortKey<E>[]): readonly (string | number)[] => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw invalidCursor();
  }
  const [order, values] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  const same = JSON.stringify(order) === JSON.stringify(keys.map(({ property, direction }) => `${property} ${direction}`));
  if (!same || !Array.isArray(values) || values.length !== keys.length || !values.every(isScalar)) throw invalidCursor();
  return values;
};

/** Rows after the cursor: `(a > x) or (a = x and b > y)`, written out because the directions may differ. */
const after = <E extends ObjectLiteral>(query: SelectQueryBuilder<E>, keys: readonly SortKey<E>[], cursor: string): void => {
  const values = decode(cursor, keys);
  query.setParameters(Object.fromEntries(values.map((value, index) => [`cursor${index}`, value])));
  const column = (index: number): string => `${query.alias}.${keys[index]?.property ?? ''}`;
  query.andWhere(new Brackets((either) => {
    keys.forEach(({ direction }, index) => {
      const equal = Array.from({ length: index }, (_, i) => `${column(i)} = :cursor${i}`);
      either.orWhere([...equal, `${column(index)} ${direction === 'ASC' ? '>' : '<'} :cursor${index}`].join(' and '));
    });
  }));
};

/**
 * Runs a query as one page. `keys` order it and end in a unique column, so that a page is stable while rows come and go.
 * Do not call `orderBy` or `limit` on the query yourself.
 */
export const paginate = async <E extends ObjectLiteral>(
  query: SelectQueryBuilder<E>, keys: readonly SortKey<E>[], page: PageQuery,
): Promise<Page<E>> => {
  const limit = page.limit ?? 50;
  if (page.cursor !== undefined) after(query, keys, page.cursor);
  for (const { property, direction } of keys) query.addOrderBy(`${query.alias}.${property}`, direction);
  const rows = await query.take(limit + 1).getMany();
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return rows.length > limit && last ? { items, nextCursor: encode(last, keys) } : { items };
};

/** The page with each item put into its public shape. */
export const mapPage = <A, B>(page: Page<A>, map: (item: A) => B): Page<B> => ({ ...page, items: page.items.map(map) });
