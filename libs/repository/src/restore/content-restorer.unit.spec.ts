import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fault } from '#kernel';
import type { FileTicket } from '#sources';
import { objectNotFound, type ObjectReader } from '#storage';
import { codec, frameClass } from '../format/limits.ts';
import { type Reference, referenceKind } from '../format/refs.ts';
import { ChunkLocations } from './chunk-locations.ts';
import type { ChunkReader } from './chunk-reader.ts';
import { ContentRestorer, type RestorerParts } from './content-restorer.ts';
import type { RestorePool } from './restore-pool.ts';

const mebibyte = 1024 * 1024;
const idOf = (n: number): Buffer => createHash('sha256').update(String(n)).digest();
const reference = (n: number): Reference => ({ kind: referenceKind.chunk, id: idOf(n), length: mebibyte });
const ticket = (id: number, chunks = 1): FileTicket =>
  ({ id, directory: '', name: `f${id}`, stagedAs: `f${id}`, size: chunks * mebibyte, mode: 0o600, mtimeNs: 0n, modeLater: false });

/** One frame of 1 MiB for each chunk, in each of the packs. */
const locationsIn = (packs: readonly string[], chunks: number): ChunkLocations => {
  const locations = new ChunkLocations();
  for (const name of packs) {
    locations.addPack({
      name, size: chunks * mebibyte, catalogKeyId: '', frames: Array.from({ length: chunks }, (_, n) => ({
        // Too far apart to be fetched together.
        offset: n * 2 * mebibyte, length: mebibyte, class: frameClass.data, codec: codec.raw, keyId: 'k', plainLength: mebibyte,
        chunks: [{ id: idOf(n), length: mebibyte }],
      })),
    });
  }
  return locations;
};

const restorer = (locations: ChunkLocations, get: ObjectReader['get'], change: Partial<RestorerParts> = {}) => {
  const settled = new Map<number, unknown>();
  const jobs: string[] = [];
  const pool = {
    guard: <T>(work: Promise<T>) => work, abort: (error: unknown) => { throw error; },
    run: async ({ type }: { type: string }) => { jobs.push(type); return []; },
  } as unknown as RestorePool;
  const made = new ContentRestorer({
    reader: { get, head: async () => undefined }, keys: { get: async () => ({ id: 'k', bytes: Buffer.alloc(32) }) }, locations, chunks: {} as ChunkReader, pool,
    fetchBytes: 4 * mebibyte, places: { refusal: () => undefined, note: () => undefined }, onFile: ({ id }, error) => settled.set(id, error), onFetched: () => undefined, onWritten: () => undefined, ...change,
  });
  return { made, settled, jobs };
};

describe('fetching contents', () => {
  it('keeps within its memory also where a whole pack is gone and everything is fetched from another', async () => {
    const chunks = 60;
    let [inFlight, most] = [0, 0];
    const { made, settled } = restorer(locationsIn(['gone', 'copy'], chunks), async (name, range) => {
      if (name === 'gone') throw objectNotFound(name);
      inFlight += range?.length ?? 0;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= range?.length ?? 0;
      return Buffer.alloc(range?.length ?? 0);
    });
    for (let n = 0; n < chunks; n++) await made.add(ticket(n), [reference(n)]);
    await made.finish();
    expect([...settled.values()]).toEqual(Array.from({ length: chunks }, () => undefined));
    expect(most).toBeLessThanOrEqual(4 * mebibyte);
  });

  it('ends for a file that has failed: its other pieces are not fetched', async () => {
    const chunks = 60;
    let asked = 0;
    const { made, settled, jobs } = restorer(locationsIn(['pack'], chunks), async (name) => {
      asked++;
      throw objectNotFound(name);
    });
    await made.add(ticket(1, chunks), Array.from({ length: chunks }, (_, n) => reference(n)));
    await made.finish();
    expect(settled.get(1)).toMatchObject({ code: 'object-not-found' });
    expect(asked).toBeLessThan(10);
    expect(jobs).toEqual(['discard']);
  });

  it('is not begun for what the destination will not take, and goes on for what it will', async () => {
    const asked: number[] = [];
    const full = fault('unavailable', 'restore-destination-full', 'full');
    let closed = false;
    const { made, settled } = restorer(locationsIn(['pack'], 3), async (_name, range) => {
      asked.push((range?.offset ?? 0) / (2 * mebibyte));
      return Buffer.alloc(range?.length ?? 0);
    }, { places: { refusal: ({ id }) => (id === 0 || (closed && id === 1) ? full : undefined), note: () => undefined } });
    for (let n = 0; n < 3; n++) await made.add(ticket(n), [reference(n)]);
    closed = true;
    await made.finish();
    expect(asked).toEqual([2]);
    expect([...settled]).toEqual([[0, full], [1, full], [2, undefined]]);
  });

  it('ends with the restore where the target does not answer, also for the references of a large file', async () => {
    const down = fault('unavailable', 'storage-unavailable', 'down');
    const { made, settled } = restorer(locationsIn(['pack'], 1), async () => Buffer.alloc(0), { chunks: { list: () => Promise.reject(down) } as unknown as ChunkReader });
    await expect(made.add(ticket(1), [{ kind: referenceKind.list, id: idOf(9), length: mebibyte }])).rejects.toBe(down);
    expect([...settled]).toEqual([]);
  });

  it('loses only what is under a key that cannot be had, not its neighbours', async () => {
    const locations = new ChunkLocations();
    const frames = ['k', 'lost', 'k'].map((keyId, n) => ({
      offset: n * 1_000, length: 1_000, class: frameClass.data, codec: codec.raw, keyId, plainLength: mebibyte, chunks: [{ id: idOf(n), length: mebibyte }],
    }));
    locations.addPack({ name: 'pack', size: 3_000, catalogKeyId: '', frames });
    const keys: RestorerParts['keys'] = {
      get: async (_class, id) => {
        if (id === 'lost') throw fault('forbidden', 'key-not-available', 'lost');
        return { id, bytes: Buffer.alloc(32) };
      },
    };
    const { made, settled } = restorer(locations, async (_name, range) => Buffer.alloc(range?.length ?? 0), { keys });
    for (let n = 0; n < 3; n++) await made.add(ticket(n), [reference(n)]);
    await made.finish();
    expect([...settled].sort(([a], [b]) => a - b)).toMatchObject([[0, undefined], [1, { code: 'key-not-available' }], [2, undefined]]);
  });
});
