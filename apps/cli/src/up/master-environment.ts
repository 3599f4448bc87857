import { readFileSync } from 'node:fs';
import { postgresUrl } from '#embedded';
import { type StackLayout, layoutOf, secretIn } from './layout.ts';
import type { StackPorts } from './ports.ts';

/** The master's settings in an embedded stack; holds the database's password. */
export const masterEnvironment = (layout: StackLayout, ports: StackPorts, path: string): Record<string, string> => ({
  PATH: path,
  NODE_ENV: 'production',
  HOLDFAST_NATS_URL: `nats://127.0.0.1:${ports.nats}`,
  HOLDFAST_POSTGRES_URL: postgresUrl({ port: ports.postgres, password: secretIn(layout.postgresPassword) }),
  HOLDFAST_KEYS_DIR: layout.keys,
  HOLDFAST_DATA_DIR: layout.objects,
  HOLDFAST_HTTP_HOST: '127.0.0.1',
  HOLDFAST_HTTP_PORT: String(ports.http),
  HOLDFAST_PUBLIC_URL: `http://127.0.0.1:${ports.http}`,
  HOLDFAST_FIRST_ADMIN_PASSWORD_FILE: layout.adminPassword,
});

/** As `masterEnvironment`, of a stack that has been started in `data` before. */
export const embeddedMasterEnvironment = (data: string, path: string): Record<string, string> => {
  const layout = layoutOf(data);
  return masterEnvironment(layout, JSON.parse(readFileSync(layout.ports, 'utf8')) as StackPorts, path);
};
