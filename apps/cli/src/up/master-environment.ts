import { readFileSync } from 'node:fs';
import { postgresUrl } from '#embedded';
import { type StackLayout, layoutOf, secretIn } from './layout.ts';
import { advertisedNatsUrl, localNatsUrl, networkOf, type StackNetwork } from './network.ts';
import type { StackPorts } from './ports.ts';

/** Variables of the command line itself, which a master does not know. */
const ofTheCommandLine = /^HOLDFAST_(DATA|NATS_SERVER|URL|USER|(TOKEN|PASSWORD)(_FILE)?)$/;

/**
 * Settings of a master that the user of `holdfast up` gave it by environment variable: every other `HOLDFAST_*`. A master refuses what
 * it does not know by name, so that a setting that is written wrong is not overlooked.
 */
export const ownSettings = (variables: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(variables).flatMap(([name, value]) =>
    value !== undefined && name.startsWith('HOLDFAST_') && !ofTheCommandLine.test(name) ? [[name, value]] : []));

/** The master's settings in an embedded stack; holds the database's password. */
export const masterEnvironment = (layout: StackLayout, ports: StackPorts, network: StackNetwork, path: string): Record<string, string> => ({
  PATH: path,
  NODE_ENV: 'production',
  HOLDFAST_NATS_URL: localNatsUrl(network, ports),
  HOLDFAST_AGENT_NATS_URL: advertisedNatsUrl(network, ports),
  ...(network.tls ? { HOLDFAST_NATS_CA: network.tls.caFile } : {}),
  HOLDFAST_POSTGRES_URL: postgresUrl({ port: ports.postgres, password: secretIn(layout.postgresPassword) }),
  HOLDFAST_KEYS_DIR: layout.keys,
  HOLDFAST_DATA_DIR: layout.objects,
  HOLDFAST_HTTP_HOST: network.host,
  HOLDFAST_HTTP_PORT: String(ports.http),
  HOLDFAST_PUBLIC_URL: `http://${network.address}:${ports.http}`,
  HOLDFAST_FIRST_ADMIN_PASSWORD_FILE: layout.adminPassword,
});

/** As `masterEnvironment`, of a stack that has been started in `data` before. */
export const embeddedMasterEnvironment = (data: string, path: string): Record<string, string> => {
  const layout = layoutOf(data);
  return masterEnvironment(layout, JSON.parse(readFileSync(layout.ports, 'utf8')) as StackPorts, networkOf(layout), path);
};
