import { writeFileSync } from 'node:fs';
import type { Clock } from '#kernel';
import { initKeys, natsConf } from '#identity';
import type { StackLayout } from './layout.ts';
import { prepareNetwork, type StackNetwork } from './network.ts';
import type { StackPorts } from './ports.ts';

/**
 * Makes the installation's keys at the first start, and at each the certificates and the server's configuration, which follow from them and
 * from the address that other hosts know this one by (default: the earlier one).
 */
export const prepareNats = async (layout: StackLayout, ports: StackPorts, address: string | undefined, clock: Clock): Promise<StackNetwork> => {
  const keys = await initKeys(layout.keys, clock);
  const network = await prepareNetwork(layout, address, clock);
  const configuration = natsConf(keys, {
    listen: `${network.host}:${ports.nats}`, monitor: `127.0.0.1:${ports.natsMonitor}`, dataDir: layout.nats, now: clock.now(),
    ...(network.tls ? { tls: network.tls } : {}),
  });
  writeFileSync(layout.natsConfig, configuration, { mode: 0o600 });
  return network;
};
