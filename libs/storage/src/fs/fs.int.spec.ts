import { randomBytes } from 'node:crypto';
import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { tempDir } from '#testing';
import { sha256Of } from '../bytes.ts';
import { objectStoreContract } from '../testing/object-store.contract.ts';
import { withPrefix } from '../wrappers/prefixed.wrapper.ts';
import { fsStore } from './fs.adapter.ts';

objectStoreContract('the folder store', async () => ({ store: fsStore(await tempDir('fs')) }), { listed: 200 });

describe('the folder store', () => {
  it('publishes a stream only when it is what was announced, and leaves no trace of another', async () => {
    const dir = await tempDir('fs');
    const store = fsStore(dir);
    const bytes = randomBytes(100_000);
    const put = (name: string, sent: Buffer, size = bytes.length) =>
      store.putStream(name, Readable.from([sent.subarray(0, 10), sent.subarray(10)]), { sha256: sha256Of([bytes]), size });
    await expect(put('a/x', randomBytes(100_000))).rejects.toMatchObject({ code: 'object-mismatch' });
    await expect(put('a/x', bytes.subarray(1))).rejects.toMatchObject({ code: 'object-mismatch' });
    await expect(put('a/x', Buffer.concat([bytes, Buffer.from('more')]))).rejects.toMatchObject({ code: 'object-mismatch' });
    const broken = Readable.from((async function* () { yield bytes.subarray(0, 9); throw new Error('gone'); })());
    await expect(store.putStream('a/x', broken, { sha256: sha256Of([bytes]), size: bytes.length })).rejects.toThrow();
    expect(await readdir(join(dir, 'a'))).toEqual([]);
    expect(await put('a/x', bytes)).toBe('created');
    expect(await put('a/x', bytes)).toBe('exists');
    expect(Buffer.compare(await store.get('a/x'), bytes)).toBe(0);
  });

  it('does not follow a link that somebody put in the place of an object', async () => {
    const [dir, outside] = [await tempDir('fs'), await tempDir('outside')];
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(join(outside, 'secret'), join(dir, 'link'));
    const store = fsStore(dir);
    await expect(store.get('link')).rejects.toMatchObject({ code: 'storage-denied' });
    expect(await store.head('link')).toBeUndefined();
    expect(await store.put('link', [Buffer.from('x')], { sha256: sha256Of([Buffer.from('x')]) })).toBe('exists');
  });

  it('tells in a listing when an object was written', async () => {
    const dir = await tempDir('fs');
    await writeFile(join(dir, 'a'), '');
    await utimes(join(dir, 'a'), 1, 1_700_000_000.5);
    expect(await fsStore(dir).list('')[Symbol.asyncIterator]().next()).toMatchObject({ value: { name: 'a', modified: 1_700_000_000_500 } });
  });

  it('does not show the temporary files of killed writers, and removes the old ones', async () => {
    const dir = await tempDir('fs');
    const store = fsStore(dir);
    await mkdir(join(dir, 'packs'), { recursive: true });
    await writeFile(join(dir, 'packs/.tmp-1-old'), 'x');
    await writeFile(join(dir, 'packs/.tmp-1-new'), 'x');
    await utimes(join(dir, 'packs/.tmp-1-old'), 1000, 1000);
    const listed = [];
    for await (const info of store.list('')) listed.push(info);
    expect(listed).toEqual([]);
    await mkdir(join(dir, 'node_b/packs/aa'), { recursive: true });
    await writeFile(join(dir, 'node_b/packs/aa/.tmp-1-old'), 'x');
    await utimes(join(dir, 'node_b/packs/aa/.tmp-1-old'), 1000, 1000);
    expect(await withPrefix(store, 'node_b').removeLeftovers?.('', 2_000_000)).toBe(1);
    expect(await store.removeLeftovers('', 2_000_000)).toBe(1);
    expect(await store.removeLeftovers('nothing/here/', 2_000_000)).toBe(0);
    expect(await readdir(join(dir, 'packs'))).toEqual(['.tmp-1-new']);
  });

  it('makes its folder again when somebody removed it', async () => {
    const dir = await tempDir('fs');
    const store = fsStore(join(dir, 'deep/er'));
    const put = (name: string) => store.put(name, [Buffer.from(name)], { sha256: sha256Of([Buffer.from(name)]) });
    expect(await put('p/a')).toBe('created');
    await (await import('node:fs/promises')).rm(join(dir, 'deep'), { recursive: true });
    expect(await put('p/b')).toBe('created');
    expect(await put('p/a')).toBe('created');
  });
});
