import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startNats } from '#testing';
import { assertDurable } from './durability.ts';

it('a server that acknowledges before it syncs is refused by name', async () => {
  const nats = await startNats({ operatorMode: true });
  const system = await nats.connectMaster('system', { maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  await assertDurable(system);
  const file = join(nats.dir, 'nats.conf');
  await writeFile(file, (await readFile(file, 'utf8')).replace(', sync_interval: always', '').replace('listen:', 'server_name: careless\nlisten:'));
  await nats.restart();
  await expect.poll(() => assertDurable(system).then(() => 'durable', (error: Error) => error.message), { timeout: 10_000 }).toMatch(/nats-not-durable.*careless/);
  await system.close();
  await nats.stop();
});
