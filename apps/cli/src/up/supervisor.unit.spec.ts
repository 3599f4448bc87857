import { expect, it } from 'vitest';
import type { Child, ChildExit } from '#embedded';
import { FakeClock, silentLogger } from '#kernel';
import { Supervisor } from './supervisor.ts';

/** A process that ends when the test says so. */
const fakeChild = (name: string, ended: string[]) => {
  let end: (exit: ChildExit) => void = () => undefined;
  let running = true;
  const exited = new Promise<ChildExit>((resolve) => { end = resolve; });
  void exited.then(() => { running = false; });
  const stop = async (signal = 'SIGTERM'): Promise<void> => {
    ended.push(`${name} ${signal}`);
    end({ code: 0, signal: null });
    await exited;
  };
  return { child: { name, pid: 1, exited, running: () => running, stop } satisfies Child, crash: () => end({ code: null, signal: 'SIGKILL' }) };
};

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('a part that ends by itself is started again, and after more and more time when it keeps ending', async () => {
  const clock = new FakeClock();
  const supervisor = new Supervisor(clock, silentLogger);
  const made: ReturnType<typeof fakeChild>[] = [];
  await supervisor.add({ name: 'master', start: async () => {
    const one = fakeChild('master', []);
    made.push(one);
    return one.child;
  } });
  const pauses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const before = made.length;
    made.at(-1)?.crash();
    while (clock.sleeping === 0) await settle();
    const from = clock.monotonic();
    while (made.length === before) await clock.advance(50);
    pauses.push(clock.monotonic() - from);
    await settle();
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000]);
  await supervisor.stop();
});

it('parts are stopped in the reverse of the order in which they were started, each with its own signal', async () => {
  const supervisor = new Supervisor(new FakeClock(), silentLogger);
  const ended: string[] = [];
  await supervisor.add({ name: 'nats', start: async () => fakeChild('nats', ended).child });
  await supervisor.add({ name: 'postgres', stopSignal: 'SIGINT', start: async () => fakeChild('postgres', ended).child });
  await supervisor.add({ name: 'master', start: async () => fakeChild('master', ended).child });
  await supervisor.stop();
  expect(ended).toEqual(['master SIGTERM', 'postgres SIGINT', 'nats SIGTERM']);
});

it('a stop does not wait for a part that cannot become ready again, because others end', async () => {
  const clock = new FakeClock();
  const supervisor = new Supervisor(clock, silentLogger);
  const ended: string[] = [];
  const first = fakeChild('master', ended);
  let starts = 0;
  await supervisor.add({ name: 'nats', start: async () => fakeChild('nats', ended).child });
  await supervisor.add({ name: 'master', start: (signal) => {
    if (starts++ === 0) return Promise.resolve(first.child);
    // Ready only with NATS, as the real one.
    return new Promise((_, reject) => { signal.addEventListener('abort', () => { ended.push('master given up'); reject(new Error('given up')); }); });
  } });
  first.crash();
  while (clock.sleeping === 0) await settle();
  await clock.advance(500);
  while (starts < 2) await settle();
  await supervisor.stop();
  expect(ended).toEqual(['master given up', 'master SIGTERM', 'nats SIGTERM']);
});

it('a stop does not wait for the pause before the next start', async () => {
  const clock = new FakeClock();
  const supervisor = new Supervisor(clock, silentLogger);
  const only = fakeChild('agent', []);
  let starts = 0;
  await supervisor.add({ name: 'agent', start: () => { starts++; return Promise.resolve(only.child); } });
  only.crash();
  while (clock.sleeping === 0) await settle();
  await supervisor.stop();
  expect(starts).toBe(1);
});
