import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const suffixes = ['-wal', ''] as const;
const schemaOf = (file: string): number => {
  const sql = new DatabaseSync(file);
  try {
    return (sql.prepare('pragma user_version').get() as { user_version: number }).user_version;
  } finally {
    sql.close();
  }
};

/** The agent's database as it was before a new version opened it: that one may have changed its schema, which no older one reads. */
export class DatabaseCopy {
  private readonly file: string;
  private readonly copy: string;

  constructor(root: string) {
    this.file = join(root, 'agent.db');
    this.copy = join(root, 'agent.db.trial');
  }

  /** Nobody may have it open. One that is there already is older, and kept: its trial was broken off. */
  keep(): void {
    if (existsSync(this.copy) || !existsSync(this.file)) return;
    // The main file last: without it the copy does not count.
    for (const suffix of suffixes) {
      rmSync(`${this.copy}${suffix}`, { force: true });
      if (!existsSync(`${this.file}${suffix}`)) continue;
      copyFileSync(`${this.file}${suffix}`, `${this.copy}${suffix}.new`);
      renameSync(`${this.copy}${suffix}.new`, `${this.copy}${suffix}`);
    }
  }

  /** Puts it back where the schema is another one by now. What the trial noted of commands is told again by the masters; it claimed nothing. */
  putBack(): void {
    if (existsSync(this.copy) && this.differs()) {
      for (const suffix of ['-wal', '-shm']) rmSync(`${this.file}${suffix}`, { force: true });
      for (const suffix of suffixes) if (existsSync(`${this.copy}${suffix}`)) renameSync(`${this.copy}${suffix}`, `${this.file}${suffix}`);
    }
    this.drop();
  }

  drop(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.copy}${suffix}`, { force: true });
  }

  private differs(): boolean {
    try {
      return schemaOf(this.file) !== schemaOf(this.copy);
    } catch {
      return true;
    }
  }
}
