import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isAppError } from '#kernel';
import { sha256Of } from '../bytes.ts';
import { isObjectNotFound, type ObjectInfo, type ObjectStore } from '../object-store.port.ts';

/** A store to try, empty or filled with other names only. */
export interface ContractSubject {
  readonly store: ObjectStore;
  readonly stop?: () => Promise<void>;
}

/** What an adapter may not be able to do. */
export interface ContractOptions {
  /** Objects in the listing test; default 30. S3 gives pages of 1,000. */
  readonly listed?: number;
  /** False where two writers of one name at the same moment may both be told `created`. */
  readonly atomicCreate?: boolean;
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'no error', (error: unknown) => (isAppError(error) ? `${error.code}${error.retryable ? ' (retryable)' : ''}` : String(error)));
const all = async (listing: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> => {
  const found = [];
  for await (const info of listing) found.push(info);
  return found;
};

/** What every store promises; run against each adapter and each wrapper. */
export const objectStoreContract = (name: string, factory: () => Promise<ContractSubject>, options: ContractOptions = {}): void => {
  describe(`${name} keeps the contract of an object store`, () => {
    let subject: ContractSubject;
    let store: ObjectStore;
    let folder = '';
    const put = (path: string, ...parts: Uint8Array[]) => store.put(`${folder}/${path}`, parts, { sha256: sha256Of(parts) });
    beforeAll(async () => { subject = await factory(); store = subject.store; });
    beforeEach(() => { folder = `t${randomBytes(4).toString('hex')}`; });
    afterAll(() => subject.stop?.());

    it('gives back what was put, whole and by range', async () => {
      const bytes = randomBytes(1_500_000);
      expect(await put('a/b', bytes.subarray(0, 700_000), Buffer.alloc(0), bytes.subarray(700_000))).toBe('created');
      expect(Buffer.compare(await store.get(`${folder}/a/b`), bytes)).toBe(0);
      expect(Buffer.compare(await store.get(`${folder}/a/b`, { offset: 699_990, length: 20 }), bytes.subarray(699_990, 700_010))).toBe(0);
      expect(Buffer.compare(await store.get(`${folder}/a/b`, { offset: 1_499_999, length: 1 }), bytes.subarray(1_499_999))).toBe(0);
      expect(await store.get(`${folder}/a/b`, { offset: 1_500_000, length: 0 })).toHaveLength(0);
      expect(await store.head(`${folder}/a/b`)).toMatchObject({ name: `${folder}/a/b`, size: 1_500_000 });
    });

    it('keeps the hash it tells, where it tells one', async () => {
      await put('hash', Buffer.from('hello'));
      const info = await store.head(`${folder}/hash`);
      expect(info?.sha256 ?? sha256Of([Buffer.from('hello')])).toEqual(sha256Of([Buffer.from('hello')]));
    });

    it('stores an empty object', async () => {
      await put('empty');
      expect(await store.get(`${folder}/empty`)).toHaveLength(0);
      expect(await store.head(`${folder}/empty`)).toMatchObject({ size: 0 });
    });

    it('never overwrites', async () => {
      expect(await put('once', Buffer.from('first'))).toBe('created');
      expect(await put('once', Buffer.from('second'))).toBe('exists');
      expect(Buffer.from(await store.get(`${folder}/once`)).toString()).toBe('first');
    });

    it.runIf(options.atomicCreate !== false)('tells exactly one of many writers of a name that it created it', async () => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => put('race', Buffer.from(`writer ${i}`))));
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    });

    it('refuses bytes that are not the announced ones, and stores nothing', async () => {
      const wrong = store.put(`${folder}/wrong`, [Buffer.from('other')], { sha256: sha256Of([Buffer.from('announced')]) });
      expect(await codeOf(wrong)).toBe('object-mismatch');
      expect(await store.head(`${folder}/wrong`)).toBeUndefined();
    });

    it('says that an object is not there, which is not a failed fetch', async () => {
      expect(await store.head(`${folder}/none`)).toBeUndefined();
      expect(await codeOf(store.get(`${folder}/none`))).toBe('object-not-found');
      expect(await codeOf(store.get(`${folder}/none`, { offset: 0, length: 1 }))).toBe('object-not-found');
      expect(await store.get(`${folder}/none`).catch(isObjectNotFound)).toBe(true);
    });

    it('says that an object ends before a range does', async () => {
      await put('short', Buffer.from('12345'));
      expect(await codeOf(store.get(`${folder}/short`, { offset: 3, length: 3 }))).toBe('object-truncated');
      expect(await codeOf(store.get(`${folder}/short`, { offset: 9, length: 1 }))).toBe('object-truncated');
    });

    it('brings no object into memory that is larger than the caller allows', async () => {
      await put('large', Buffer.alloc(1_000));
      expect(await codeOf(store.get(`${folder}/large`, undefined, { maxBytes: 999 }))).toBe('object-too-large');
      expect(await store.get(`${folder}/large`, undefined, { maxBytes: 1_000 })).toHaveLength(1_000);
      expect(await store.get(`${folder}/large`, { offset: 990, length: 10 }, { maxBytes: 5 })).toHaveLength(10);
    });

    it('lists by prefix in the byte order of the names, across folders', async () => {
      const names = ['a-b', 'a.b', 'a/b', 'a/c/d', 'a0', 'B', 'z/z'];
      for (const path of names) await put(path, Buffer.from(path));
      const found = await all(store.list(`${folder}/`));
      expect(found.map((info) => info.name)).toEqual(['B', 'a-b', 'a.b', 'a/b', 'a/c/d', 'a0', 'z/z'].map((path) => `${folder}/${path}`));
      expect(found.map((info) => info.size)).toEqual(found.map((info) => info.name.length - folder.length - 1));
      // Where the storage tells when: in milliseconds, so that nothing new can be taken for old.
      for (const { modified } of found) if (modified !== undefined) expect(Math.abs(Date.now() - modified)).toBeLessThan(3_600_000);
      expect((await all(store.list(`${folder}/a/`))).map((info) => info.name)).toEqual([`${folder}/a/b`, `${folder}/a/c/d`]);
      expect((await all(store.list(`${folder}/z`))).map((info) => info.name)).toEqual([`${folder}/z/z`]);
      expect(await all(store.list(`${folder}/none/`))).toEqual([]);
    });

    it('lists everything, however many pages that takes', async () => {
      const count = options.listed ?? 30;
      const paths = Array.from({ length: count }, (_, i) => `many/${String(i).padStart(5, '0')}`);
      for (let i = 0; i < count; i += 16) await Promise.all(paths.slice(i, i + 16).map((path) => put(path, Buffer.from('x'))));
      expect((await all(store.list(`${folder}/many/`))).map((info) => info.name)).toEqual(paths.map((path) => `${folder}/${path}`));
    });

    it('removes, and removing what is not there is success', async () => {
      await put('gone', Buffer.from('x'));
      await store.delete(`${folder}/gone`);
      await store.delete(`${folder}/gone`);
      expect(await store.head(`${folder}/gone`)).toBeUndefined();
      expect(await put('gone', Buffer.from('again'))).toBe('created');
    });

    it.each(['', '/etc/passwd', '../up', 'a/../b', 'a//b', 'a/./b', '.hidden', 'a/.tmp-1', 'a\\b', 'a b', 'é', 'a\0b', 'a/'])('refuses the name %j', async (bad) => {
      const outcomes = await Promise.all([
        codeOf((async () => store.put(bad, [], { sha256: sha256Of([]) }))()), codeOf((async () => store.get(bad))()),
        codeOf((async () => store.head(bad))()), codeOf((async () => store.delete(bad))()),
      ]);
      expect(new Set(outcomes)).toEqual(new Set(['object-name-invalid']));
    });

    it('obeys an abort', async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(store.put(`${folder}/x`, [], { sha256: sha256Of([]), signal })).rejects.toThrow('enough');
      await expect(store.get(`${folder}/x`, undefined, { signal })).rejects.toThrow('enough');
    });
  });
};
