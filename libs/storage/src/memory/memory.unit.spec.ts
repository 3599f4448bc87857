import { FakeClock } from '#kernel';
import { objectStoreContract } from '../testing/object-store.contract.ts';
import { faultyStore, staleStore } from '../testing/faulty-stores.ts';
import { withLimit } from '../wrappers/limit.wrapper.ts';
import { withMeter } from '../wrappers/metered.wrapper.ts';
import { withPrefix } from '../wrappers/prefixed.wrapper.ts';
import { withRetry } from '../wrappers/retry.wrapper.ts';
import { withThrottle } from '../wrappers/throttle.wrapper.ts';
import { memoryStore } from './memory.adapter.ts';

/** A clock on which every pause is over at once. */
class ImpatientClock extends FakeClock {
  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.advance(ms);
  }
}
const clock = new ImpatientClock();

objectStoreContract('the memory store', async () => ({ store: memoryStore() }));
objectStoreContract('a prefix of a store', async () => ({ store: withPrefix(memoryStore(), 'repositories/one') }));
objectStoreContract('a limited store', async () => ({ store: withLimit(memoryStore(), 2) }));
objectStoreContract('a throttled store', async () => ({
  store: withThrottle(memoryStore(), { clock, uploadBytesPerSecond: 1000, downloadBytesPerSecond: 1000 }),
}));
objectStoreContract('a metered store', async () => ({ store: withMeter(memoryStore()) }));
objectStoreContract('a retried store on which every second call fails before it takes effect', async () => ({
  store: withRetry(faultyStore(memoryStore(), ({ number }) => (number % 2 ? { when: 'before' } : undefined)), { clock }),
}));
objectStoreContract('a store whose listing lags by no call', async () => ({ store: staleStore(memoryStore(), 0) }));
