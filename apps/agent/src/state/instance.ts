import type { IdSource } from '#kernel';
import type { AgentDatabase } from './database.ts';

/** The name of this state directory, made with it: two live instances of one node are a cloned machine or a stolen credential. */
export const instanceOf = (database: AgentDatabase, ids: IdSource): string =>
  database.transaction(() => {
    const row = database.sql.prepare("select value from meta where name = 'instance'").get() as { value: string } | undefined;
    if (row) return row.value;
    const instance = ids.next('inst');
    database.sql.prepare("insert into meta (name, value) values ('instance', ?)").run(instance);
    return instance;
  });
