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
  await expect(awaitReady(child, { ready, clock: systemClock, timeoutMs: 60_000, logFile: `${dir}/log` })).rejects.toMatchObject({ code: 'child-ended' });
  close();
});

it('a server that does not become ready in time is gone when that is told, so that the next start does not meet it', async () => {
  const dir = await tempDir('listener');
  const start = () => startChild({ name: 'server', command: 'sleep', args: ['600'], env: { PATH: '/usr/bin:/bin' }, logFile: `${dir}/log`, pidFile: `${dir}/pid`, clock: systemClock });
  const child = start();
  const options = { ready: () => Promise.resolve(false), clock: systemClock, timeoutMs: 100, logFile: `${dir}/log` };
  await expect(awaitReady(child, options)).rejects.toMatchObject({ code: 'child-not-ready' });
  expect(child.running()).toBe(false);
  const failing = start();
  await expect(awaitReady(failing, { ...options, ready: () => Promise.reject(new Error('no proc')) })).rejects.toThrow('no proc');
  expect(failing.running()).toBe(false);
  const unwanted = start();
  await expect(awaitReady(unwanted, { ...options, timeoutMs: 60_000, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(unwanted.running()).toBe(false);
});
