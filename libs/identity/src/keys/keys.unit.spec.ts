import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClock } from '#kernel';
import { openSealed, sealTo } from '../secrets/age.ts';
import { initKeys, loadKeys } from './keys-folder.ts';
import { newSigningKey, signingKeyFromPem } from './signing-key.ts';
import { natsConf } from '../nats-server/nats-conf.ts';
import { openMessage, signMessage } from './signed-message.ts';

let room: string;
const clock = new FakeClock();
beforeAll(async () => { room = await mkdtemp(join(tmpdir(), 'holdfast-keys-')); });
afterAll(() => rm(room, { recursive: true }));

describe('keys of an installation', () => {
  it('making them twice gives the same keys, readable by their owner alone', async () => {
    const dir = join(room, 'twice');
    const first = await initKeys(dir, clock);
    const again = await initKeys(dir, clock);
    expect(again.agents.seed).toBe(first.agents.seed);
    expect(again.commandSigning.id).toBe(first.commandSigning.id);
    expect(again.cryptoSecret).toEqual(first.cryptoSecret);
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600);
  });

  it('the catalog key opens what is sealed to its recipient', async () => {
    const keys = await initKeys(join(room, 'age'), clock);
    const sealed = await sealTo([keys.catalog.recipient], Buffer.from('x'));
    expect(Buffer.from(await openSealed(keys.catalog.identity, sealed)).toString()).toBe('x');
    await expect(openSealed(keys.data.identity ?? '', sealed)).rejects.toThrow('seal-unreadable');
  });

  it('the operator seed and the data identity may be kept offline', async () => {
    const dir = join(room, 'offline');
    const { data } = await initKeys(dir, clock);
    await unlink(join(dir, 'operator.seed'));
    await unlink(join(dir, 'data.age'));
    expect((await loadKeys(dir)).data).toEqual({ recipient: data.recipient });
  });

  it('refuses an interrupted, incomplete, exposed or absent folder by name', async () => {
    await expect(loadKeys(join(room, 'absent'))).rejects.toThrow('keys-missing');
    const half = join(room, 'half');
    await mkdir(half);
    await writeFile(join(half, 'agents.seed'), 'x', { mode: 0o600 });
    await expect(initKeys(half, clock)).rejects.toThrow('keys-half-made');
    const dir = join(room, 'damaged');
    await initKeys(dir, clock);
    await chmod(join(dir, 'agents.seed'), 0o644);
    await expect(loadKeys(dir)).rejects.toThrow('keys-exposed');
    await unlink(join(dir, 'agents.seed'));
    await expect(loadKeys(dir)).rejects.toThrow('keys-incomplete');
  });
});

describe('nats.conf', () => {
  it('holds no secret, and asks for every acknowledged message to be on disk', async () => {
    const dir = join(room, 'conf');
    const keys = await initKeys(dir, clock);
    const conf = natsConf(keys, { listen: '127.0.0.1:1', monitor: '127.0.0.1:2', dataDir: '/with "quotes"', now: clock.now() });
    const secrets = await Promise.all((await readdir(dir)).filter((name) => /seed|pem|age$|secret/.test(name)).map((name) => readFile(join(dir, name), 'utf8')));
    expect(secrets).toHaveLength(9);
    for (const secret of secrets) expect(conf).not.toContain(secret.trim());
    expect(conf).toContain('sync_interval: always');
    expect(conf).toContain('"/with \\"quotes\\"/accounts"');
  });
});

describe('signed messages', () => {
  const [key, other] = [newSigningKey(), newSigningKey()];
  const message = signMessage(key, 'command', 'node_a', { verb: 'backup' });

  it('are opened by a node that pins the key', () => {
    expect(openMessage([other, key], 'command', 'node_a', message)).toEqual({ verb: 'backup' });
    expect(signingKeyFromPem(key.exportPrivate()).id).toBe(key.id);
  });

  it.each([
    ['another purpose', () => openMessage([key], 'answer', 'node_a', message)],
    ['another node', () => openMessage([key], 'command', 'node_b', message)],
    ['an unpinned key', () => openMessage([other], 'command', 'node_a', message)],
    ['a changed payload', () => openMessage([key], 'command', 'node_a', { ...message, payload: '{"verb":"restore"}' })],
    ['a key that claims a pinned id', () => openMessage([{ ...other, id: key.id }], 'command', 'node_a', message)],
    ['no signature', () => openMessage([key], 'command', 'node_a', { ...message, signature: '' })],
  ])('are refused for %s', (_, open) => expect(open).toThrow('signature-refused'));

});
