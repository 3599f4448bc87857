import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '#testing';
import { layoutOf } from './layout.ts';
import { holdDirectory, holdPorts } from './ports.ts';

const layout = async () => layoutOf(join(await tempDir('ports'), 'data'));

it.runIf(process.platform === 'linux')('first starts at the same moment choose ports that differ, though nobody listens yet', async () => {
  const held = await Promise.all(Array.from({ length: 5 }, async () => holdPorts(await layout())));
  const all = held.flatMap(({ ports }) => Object.values(ports) as number[]);
  expect(new Set(all).size).toBe(20);
  for (const { release } of held) release();
});

it.runIf(process.platform === 'linux')('a second stack in the same data directory is refused, by whatever name, until the first has ended', async () => {
  const { data } = await layout();
  const release = await holdDirectory(data);
  await expect(holdDirectory(`${data}/../data/`)).rejects.toMatchObject({ code: 'stack-running' });
  const elsewhere = await holdDirectory((await layout()).data);
  elsewhere();
  release();
  (await holdDirectory(data))();
});

it('a start on the same data has the same ports, when the last one gave them back', async () => {
  const same = await layout();
  const first = await holdPorts(same);
  mkdirSync(same.agent);
  writeFileSync(join(same.agent, 'node.json'), '{}');
  if (process.platform === 'linux') await expect(holdPorts(same)).rejects.toMatchObject({ code: 'port-in-use' });
  first.release();
  const second = await holdPorts(same);
  expect(second.ports).toMatchObject({ nats: first.ports.nats, http: first.ports.http });
  second.release();
});

it('a port that has to stay and that another program has is refused by name, and nothing is held on to', async () => {
  const same = await layout();
  const first = await holdPorts(same);
  first.release();
  mkdirSync(same.agent);
  writeFileSync(join(same.agent, 'node.json'), '{}');
  const other = createServer().listen(first.ports.nats, '127.0.0.1');
  await once(other, 'listening');
  await expect(holdPorts(same)).rejects.toThrow(new RegExp(`port-in-use.*${first.ports.nats}`));
  other.close();
  await once(other, 'close');
  const second = await holdPorts(same);
  expect(second.ports.nats).toBe(first.ports.nats);
  second.release();
});
