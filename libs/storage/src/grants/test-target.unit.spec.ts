import { describe, expect, it } from 'vitest';
import type { ObjectStore } from '../object-store.port.ts';
import { memoryStore } from '../memory/memory.adapter.ts';
import type { GrantSigner } from './grant.port.ts';
import type { HttpSend } from './http.port.ts';
import { testTarget } from './test-target.ts';

/** A target that believes everything: each flag makes it honest in one respect. */
const gullible = (store: ReturnType<typeof memoryStore>): { signer: GrantSigner; http: HttpSend } => ({
  signer: { issue: async ({ name, access }) => ({ name, method: access === 'write' ? 'PUT' : 'GET', url: `x:${name}`, headers: { 'if-none-match': '*' }, expiresAt: '' }) },
  http: async ({ method, url, body }) => {
    const name = url.slice(2);
    if (method === 'PUT') store.objects.set(name, Buffer.concat(body ?? []));
    if (method === 'DELETE') store.objects.delete(name);
    return { status: 200, headers: {}, body: store.objects.get(name) ?? Buffer.alloc(0) };
  },
});

describe('the target test', () => {
  it('a target that refuses nothing is only to be used through the relay', async () => {
    const store = memoryStore();
    const result = await testTarget({ store, ...gullible(store) });
    expect(result).toMatchObject({ usable: true, access: 'relay' });
    expect(result.checks.filter((check) => !check.passed).map((check) => check.name)).toEqual([
      'grant-refuses-wrong-bytes', 'grant-refuses-shorter', 'grant-refuses-longer', 'grant-refuses-second-write',
      'grant-refuses-unconditional-write', 'grant-refuses-another-name', 'grant-refuses-delete', 'grant-refuses-expired',
    ]);
    expect(store.objects.size).toBe(0);
  });

  it('a target that cannot sign is only to be used through the relay', async () => {
    const store = memoryStore();
    expect(await testTarget({ store, http: gullible(store).http })).toMatchObject({ usable: true, access: 'relay' });
  });

  it('a store that overwrites is not usable', async () => {
    const honest = memoryStore();
    const store: ObjectStore = { ...honest, put: async (name, body) => { honest.objects.set(name, Buffer.concat(body)); return 'created'; } };
    const result = await testTarget({ store, ...gullible(honest) });
    expect(result).toMatchObject({ usable: false, access: 'relay' });
    expect(result.checks.find((check) => check.name === 'store-refuses-second-write')).toMatchObject({ passed: false, detail: 'A second write replaced the object' });
  });
});
