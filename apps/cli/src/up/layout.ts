import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where everything of an embedded stack lies, below one data directory. */
export interface StackLayout {
  readonly data: string;
  readonly keys: string;
  readonly nats: string;
  readonly natsConfig: string;
  readonly objects: string;
  readonly agent: string;
  readonly logs: string;
  readonly run: string;
  readonly ports: string;
  readonly postgresPassword: string;
  readonly adminPassword: string;
  /** Address and first admin for the command line on this machine. */
  readonly access: string;
}

/** Names the files of a data directory and makes the directory (0711: only Postgres' account passes through it). */
export const layoutOf = (data: string): StackLayout => {
  mkdirSync(data, { recursive: true, mode: 0o711 });
  return {
    data,
    keys: join(data, 'keys'),
    nats: join(data, 'nats'),
    natsConfig: join(data, 'nats', 'nats.conf'),
    objects: join(data, 'objects'),
    agent: join(data, 'agent'),
    logs: join(data, 'logs'),
    run: join(data, 'run'),
    ports: join(data, 'ports.json'),
    postgresPassword: join(data, 'postgres.password'),
    adminPassword: join(data, 'first-admin.password'),
    access: join(data, 'access.json'),
  };
};

/** The secret in `file`, made at the first call. 160 bits in URL-safe characters; readable by its owner only. */
export const secretIn = (file: string): string => {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const secret = randomBytes(20).toString('base64url');
  writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  return secret;
};
