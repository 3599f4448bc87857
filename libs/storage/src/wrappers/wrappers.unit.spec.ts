import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fault, FakeClock } from '#kernel';
import { sha256Of } from '../bytes.ts';
import { memoryStore } from '../memory/memory.adapter.ts';
import type { ObjectInfo, ObjectStore } from '../object-store.port.ts';
import { storageUnavailable } from '../store-errors.ts';
import { damagedStore, faultyStore, slowStore, staleStore } from '../testing/faulty-stores.ts';
import { withLimit } from './limit.wrapper.ts';
import { withMeter } from './metered.wrapper.ts';
import { withRetry } from './retry.wrapper.ts';
import { withThrottle } from './throttle.wrapper.ts';

const put = (store: ObjectStore, name: string, bytes: Uint8Array = Buffer.from(name)) => store.put(name, [bytes], { sha256: sha256Of([bytes]) });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const all = async (listing: AsyncIterable<ObjectInfo>): Promise<string[]> => {
  const names = [];
  for await (const info of listing) names.push(info.name);
  return names;
};
/** Moves the clock until the promise is settled. */
const settle = async <T>(clock: FakeClock, promise: Promise<T>): Promise<PromiseSettledResult<T>> => {
  let done = false;
  const [result] = await Promise.all([Promise.allSettled([promise]).finally(() => { done = true; }), (async () => {
    for (let i = 0; i < 1_000 && !done; i++) {
      await turn();
      await clock.advance(1_000);
    }
  })()]);
  return result[0];
};

describe('retry', () => {
  it('waits longer each time, and not all hosts at the same moment', async () => {
    const clock = new FakeClock();
    const pauses: number[] = [];
    const failing = faultyStore(memoryStore(), () => ({ when: 'before' }));
    const recording = Object.assign(Object.create(clock) as FakeClock, { sleep: async (ms: number) => { pauses.push(ms); } });
    await expect(withRetry(failing, { clock: recording, attempts: 6, firstDelayMs: 100, maxDelayMs: 500, random: () => 0.5 }).head('a')).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect(pauses).toEqual([75, 150, 300, 375, 375]);
    expect(failing.calls()).toBe(6);
  });

  it('does not repeat what will not change', async () => {
    const failing = faultyStore(memoryStore(), () => ({ when: 'before', error: fault('forbidden', 'storage-denied', 'no') }));
    await expect(withRetry(failing).head('a')).rejects.toMatchObject({ code: 'storage-denied' });
    expect(failing.calls()).toBe(1);
  });

  it('a write whose answer was lost is one object', async () => {
    const clock = new FakeClock();
    const store = memoryStore();
    const lossy = faultyStore(store, ({ number }) => (number === 1 ? { when: 'after' } : undefined));
    expect(await settle(clock, put(withRetry(lossy, { clock }), 'a'))).toEqual({ status: 'fulfilled', value: 'exists' });
    expect([...store.objects.keys()]).toEqual(['a']);
  });

  it('a listing that breaks goes on after the last name it gave', async () => {
    const clock = new FakeClock();
    const store = memoryStore();
    for (let i = 0; i < 6; i++) await put(store, `n${i}`);
    let broken = 0;
    const breaking: ObjectStore = {
      ...store,
      list: async function* (prefix, options) {
        let given = 0;
        for await (const info of store.list(prefix, options)) {
          if (given++ === 2 + broken && broken < 3) {
            broken++;
            throw storageUnavailable('cut');
          }
          yield info;
        }
      },
    };
    expect(await settle(clock, all(withRetry(breaking, { clock }).list('')))).toEqual({ status: 'fulfilled', value: ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'] });
    expect(broken).toBe(3);
  });

  it('an abort ends a pause', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const call = withRetry(faultyStore(memoryStore(), () => ({ when: 'before' })), { clock }).get('a', undefined, { signal: abort.signal });
    await turn();
    expect(clock.sleeping).toBe(1);
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('limit', () => {
  it('never lets more calls run than allowed, and forgets who gave up waiting', async () => {
    const clock = new FakeClock();
    let [running, most] = [0, 0];
    const store = memoryStore();
    await put(store, 'a');
    const slow = slowStore(store, clock, 100);
    const counted: ObjectStore = { ...slow, get: async (...call) => {
      most = Math.max(most, ++running);
      return slow.get(...call).finally(() => { running--; });
    } };
    const limited = withLimit(counted, 3);
    const abort = new AbortController();
    const calls = Array.from({ length: 10 }, () => limited.get('a'));
    const impatient = limited.get('a', undefined, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    expect(await settle(clock, Promise.all(calls))).toMatchObject({ status: 'fulfilled' });
    expect(most).toBe(3);
    expect(await settle(clock, limited.get('a'))).toMatchObject({ status: 'fulfilled' });
  });
});

describe('throttle', () => {
  it('keeps the average rate of both directions', async () => {
    const clock = new FakeClock();
    const store = withThrottle(memoryStore(), { clock, uploadBytesPerSecond: 1_000, downloadBytesPerSecond: 500 });
    const start = clock.monotonic();
    const bytes = randomBytes(2_000);
    await settle(clock, Promise.all(['a', 'b', 'c', 'd'].map((name) => put(store, name, bytes))));
    expect(clock.monotonic() - start).toBeGreaterThanOrEqual(6_000); // The first goes at once, the others pay for those before.
    const read = clock.monotonic();
    await settle(clock, Promise.all(['a', 'b'].map((name) => store.get(name, { offset: 0, length: 2_000 }))));
    expect(clock.monotonic() - read).toBeGreaterThanOrEqual(4_000);
  });
});

describe('meter', () => {
  it('counts what went through and what failed', async () => {
    const store = withMeter(faultyStore(memoryStore(), ({ operation, name }) => (operation === 'get' && name === 'bad' ? { when: 'before' } : undefined)));
    await put(store, 'a', randomBytes(100));
    await put(store, 'a', randomBytes(100));
    await store.get('a', { offset: 0, length: 40 });
    await store.get('bad').catch(() => undefined);
    await store.get('none').catch(() => undefined);
    expect(store.counters).toMatchObject({ puts: 2, existed: 1, bytesWritten: 100, gets: 3, bytesRead: 40, failures: 1 });
  });
});

describe('the fakes', () => {
  it('an eventually consistent listing shows a new object late and a removed one still', async () => {
    const store = staleStore(memoryStore(), 2);
    await put(store, 'a');
    expect(await all(store.list(''))).toEqual([]);
    await store.head('a');
    expect(await all(store.list(''))).toEqual(['a']);
    await store.delete('a');
    expect(await all(store.list(''))).toEqual(['a']);
    await store.head('a');
    expect(await all(store.list(''))).toEqual([]);
  });

  it('a damaging store hands out other bytes and keeps the right ones', async () => {
    const store = memoryStore();
    await put(store, 'a', Buffer.from('abc'));
    const damaged = damagedStore(store, (_name, bytes) => bytes.subarray(1));
    expect(Buffer.from(await damaged.get('a')).toString()).toBe('bc');
    expect(Buffer.from(await store.get('a')).toString()).toBe('abc');
  });
});
