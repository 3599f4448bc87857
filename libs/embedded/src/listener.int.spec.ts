import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { tempDir } from '#testing';
import { accepts, awaitReady, listensOn, startChild } from './index.ts';

const listen = async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
};

it.runIf(process.platform === 'linux')('a port is told to be that of the process which listens on it', async () => {
  const { port, close } = await listen();
  const other = spawn('sleep', ['600']);
  expect([listensOn(process.pid, port), listensOn(other.pid ?? 0, port)]).toEqual([true, false]);
  other.kill();
  close();
  await once(other, 'exit');
  expect(listensOn(other.pid ?? 0, port)).toBe(false);
});

it.runIf(process.platform === 'linux')('a server whose port another program has is not taken for ready because that one answers', async () => {
  const { port, close } = await listen();
  const dir = await tempDir('listener');
  const child = startChild({
    name: 'server', command: 'sh', args: ['-c', 'sleep 1; exit 1'], env: { PATH: '/usr/bin:/bin' }, logFile: `${dir}/log`, pidFile: `${dir}/pid`, clock: systemClock,
  });
  const ready = async (): Promise<boolean> => listensOn(child.pid, port) && (await accepts(port));
  await expect(awaitReady(child, ready, systemClock, 60_000, `${dir}/log`)).rejects.toMatchObject({ code: 'child-ended' });
  close();
});
