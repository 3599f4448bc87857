import { writeFileSync } from 'node:fs';
import type { Clock } from '#kernel';
import { initKeys, natsConf } from '#identity';
import type { StackLayout } from './layout.ts';
import type { StackPorts } from './ports.ts';

/** Makes the installation's keys at the first start and writes the server's configuration, which follows from them, at each. */
export const prepareNats = async (layout: StackLayout, ports: StackPorts, clock: Clock): Promise<void> => {
  const keys = await initKeys(layout.keys, clock);
  const configuration = natsConf(keys, {
    listen: `127.0.0.1:${ports.nats}`, monitor: `127.0.0.1:${ports.natsMonitor}`, dataDir: layout.nats, now: clock.now(),
  });
  writeFileSync(layout.natsConfig, configuration, { mode: 0o600 });
};
