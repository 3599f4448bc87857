import { join } from 'node:path';
import type { InstallationKeys } from '../keys/installation-keys.ts';
import { agentPayloadLimit } from '../nats/permissions.ts';
import { systemToken } from '../nats/tokens.ts';

/** Where and how a server listens. */
export interface NatsConfOptions {
  /** `host:port` for clients; loopback unless agents of other hosts connect. */
  readonly listen: string;
  /** `host:port` of the monitoring pages; keep it on loopback: they need no credential. */
  readonly monitor: string;
  /** Folder for streams and account tokens. */
  readonly dataDir: string;
  /** Unique in a cluster. */
  readonly serverName?: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly cluster?: {
    readonly name: string;
    readonly listen: string;
    /** `nats-route://host:port` of every server of the cluster. */
    readonly routes: readonly string[];
  };
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

const quote = (text: string): string => JSON.stringify(text);

/**
 * A nats.conf: operator mode with a full resolver, SYSTEM preloaded, JetStream with fsync before every acknowledgement (by default
 * the server syncs every two minutes and acknowledged events can vanish in a power cut), and pings that notice a pulled cable
 * within 45 s. Holds no secret.
 */
export const natsConf = (keys: InstallationKeys, options: NatsConfOptions): string => {
  const { listen, monitor, dataDir, serverName, cluster, tls, now } = options;
  const system = keys.system.publicKey;
  const lines = [
    ...(serverName ? [`server_name: ${quote(serverName)}`] : []),
    `listen: ${quote(listen)}`,
    `http: ${quote(monitor)}`,
    `operator: ${keys.operatorJwt}`,
    `system_account: ${system}`,
    `resolver: { type: full, dir: ${quote(join(dataDir, 'accounts'))}, allow_delete: true, interval: "2m" }`,
    `resolver_preload: { ${system}: ${systemToken(keys, now)} }`,
    `jetstream { store_dir: ${quote(join(dataDir, 'jetstream'))}, sync_interval: always }`,
    'ping_interval: "15s"',
    'ping_max: 2',
    `max_payload: ${agentPayloadLimit}`,
    ...(tls ? [`tls { cert_file: ${quote(tls.certFile)}, key_file: ${quote(tls.keyFile)}, timeout: 10 }`] : []),
    ...(cluster
      ? [`cluster { name: ${quote(cluster.name)}, listen: ${quote(cluster.listen)}, routes: [${cluster.routes.map(quote).join(', ')}] }`]
      : []),
  ];
  return `${lines.join('\n')}\n`;
};
