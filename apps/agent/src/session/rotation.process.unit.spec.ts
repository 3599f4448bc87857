import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Nkey, decodeJwt, isProven, issueNodeToken, newNkey, nkeyFromSeed } from '#identity';
import { FakeClock, fault, silentLogger } from '#kernel';
import { readNodeIdentity, writeNodeIdentity } from '../state/node-identity.ts';
import type * as PrivateFile from '../state/private-file.ts';
import { finishRotation, readRotation } from '../state/rotation-file.ts';
import { type StateDirectory, openStateDirectory } from '../state/state-directory.ts';
import { ScriptedAsk, scratch, workbench } from '../testing.ts';
import { AgentCredential } from './agent-credential.ts';
import { RotationProcess } from './rotation.process.ts';

/** Steps until this process "dies": it throws, and nothing of it is used again. */
const mortal = vi.hoisted(() => ({ left: Infinity, step(): void { if (--mortal.left === 0) throw new Error('killed'); } }));
vi.mock('../state/private-file.ts', async (original) => {
  const real = await original<typeof PrivateFile>();
  const around = <A extends unknown[]>(work: (...given: A) => void) => (...given: A): void => {
    mortal.step();
    work(...given);
    mortal.step();
  };
  return { ...real, writePrivateFile: around(real.writePrivateFile), removeFile: around(real.removeFile) };
});

const node = 'node_00000000000000000001';
const rotation = 'rot_00000000000000000001';
const clock = new FakeClock();
const agents = newNkey('account');
const tokenOf = (publicKey: string): string => issueNodeToken({ agents }, { nodeId: node, publicKey, now: clock.now() }).jwt;

let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
let state: StateDirectory;
let old: Nkey;
/** What the masters have recorded: the successor of each rotation, and what was reported as taken up. */
let recorded: Map<string, string>;
let takenUp: string[];
let ask: ScriptedAsk;

beforeEach(() => {
  mortal.left = Infinity;
  room = scratch();
  bench = workbench(room.dir, { clock });
  state = openStateDirectory(join(room.dir, 'state'));
  old = newNkey('user');
  writeNodeIdentity(state, {
    facts: { node, master: 'http://127.0.0.1:1', natsUrls: ['nats://127.0.0.1:1'], commandKeys: [{ id: 'a', publicKey: 'b' }] },
    natsSeed: old.seed, natsJwt: tokenOf(old.publicKey), ageIdentity: 'AGE-SECRET-KEY-1X',
  });
  [recorded, takenUp, ask] = [new Map(), [], new ScriptedAsk()];
  ask.script = (method, question) => {
    const { id, rotation: asked, current, publicKey, proof, newProof } = question as unknown as Record<string, string> & { id: string };
    const refused = (code: string) => ({ id, status: 'refused', code, detail: code, retryable: false });
    if (method === 'rotated') {
      if (!isProven(publicKey!, proof!, 'rotated', asked!, node) || recorded.get(asked!) !== publicKey) return refused('proof-refused');
      takenUp.push(publicKey!);
      return { id, status: 'ok', value: {} };
    }
    for (const [key, one] of [[current, proof], [publicKey, newProof]]) if (!isProven(key!, one!, 'rotate', asked!, node, publicKey!)) return refused('proof-refused');
    if (current !== old.publicKey || (recorded.get(asked!) ?? publicKey) !== publicKey) return refused('rotation-over');
    recorded.set(asked!, publicKey!);
    return { id, status: 'ok', value: { jwt: tokenOf(publicKey!) } };
  };
});
afterEach(async () => {
  await bench.scheduler.drain();
  bench.database.close();
  room.remove();
});

/** The agent as a process that has just started finds itself. */
const start = (more: { tryCredential?: () => Promise<void> } = {}) => {
  finishRotation(state);
  const credential = new AgentCredential(state, readNodeIdentity(state));
  const around = async <T>(work: () => T | Promise<T>): Promise<T> => {
    mortal.step();
    const value = await work();
    mortal.step();
    return value;
  };
  const { journal } = bench;
  const rotating = new RotationProcess({
    state, credential, node, clock, logger: silentLogger,
    journal: {
      openOrders: (verb) => journal.openOrders(verb),
      closeOrder: (id) => { mortal.step(); journal.closeOrder(id); mortal.step(); },
    },
    ask: { nextId: () => ask.nextId(), ask: (method, question) => around(() => ask.ask(method, question)), onBack: (listener) => ask.onBack(listener) },
    tryCredential: ({ jwt }) => around(async () => {
      await more.tryCredential?.();
      expect([...recorded.values()]).toContain(decodeJwt(jwt()).sub);
    }),
    switchOver: () => around(() => { credential.forBus().jwt(); }),
  });
  return { credential, rotating };
};

const lying = () => {
  const { natsSeed, natsJwt } = readNodeIdentity(state);
  return { publicKey: nkeyFromSeed('user', natsSeed).publicKey, of: decodeJwt(natsJwt).sub };
};

describe('a rotation', () => {
  it('makes the new key here, proves that it has both, and takes it up once the bus has accepted it', async () => {
    bench.journal.acceptOrder(rotation, 'rotate');
    const { credential, rotating } = start();
    await rotating.pass();
    const publicKey = recorded.get(rotation);
    expect([credential.publicKey, lying().publicKey, takenUp, credential.isInUse]).toEqual([publicKey, publicKey, [publicKey], true]);
    expect(publicKey).not.toBe(old.publicKey);
    expect([existsSync(state.rotation), bench.journal.openOrders('rotate')]).toEqual([false, []]);
    expect(JSON.stringify(ask.asked)).not.toMatch(/SU[A-Z2-7]{56}/);
    for (const name of readdirSync(state.root)) expect(statSync(join(state.root, name)).mode & 0o077).toBe(0);
  });

  it('goes on where it was, with one new key, when the agent dies between any two steps', async () => {
    let died = 0;
    for (let at = 1; ; at++) {
      const id = `rot_${String(at).padStart(20, '0')}`;
      recorded = new Map();
      const before = lying().publicKey;
      old = nkeyFromSeed('user', readNodeIdentity(state).natsSeed);
      bench.journal.acceptOrder(id, 'rotate');
      mortal.left = at;
      const killed = await start().rotating.pass().then(() => false, () => true);
      mortal.left = Infinity;
      if (killed) {
        died += 1;
        finishRotation(state);
        const { publicKey, of } = lying();
        // Whatever lies there now is a key that the masters know, with its own token.
        expect(of, `killed at step ${at}`).toBe(publicKey);
        expect([before, recorded.get(id)], `killed at step ${at}`).toContain(publicKey);
        await start().rotating.pass();
      }
      expect([lying().publicKey, takenUp.at(-1)], `killed at step ${at}`).toEqual([recorded.get(id), recorded.get(id)]);
      expect([existsSync(state.rotation), bench.journal.openOrders('rotate')], `killed at step ${at}`).toEqual([false, []]);
      if (!killed) break;
    }
    expect(died).toBeGreaterThan(18);
  });

  it('keeps the old key as long as the bus does not take the new one', async () => {
    bench.journal.acceptOrder(rotation, 'rotate');
    const { credential, rotating } = start({ tryCredential: () => Promise.reject(fault('unavailable', 'credential-refused', 'Not yet')) });
    await expect(rotating.pass()).rejects.toThrow('credential-refused');
    expect([credential.publicKey, lying().publicKey, takenUp]).toEqual([old.publicKey, old.publicKey, []]);
    expect(readRotation(state)).toMatchObject({ rotation, jwt: expect.any(String) as string });
    await start().rotating.pass();
    expect(takenUp).toEqual([recorded.get(rotation)]);
  });

  it('that the masters do not know is closed and changes nothing', async () => {
    recorded.set(rotation, 'another key');
    bench.journal.acceptOrder(rotation, 'rotate');
    await start().rotating.pass();
    expect([lying().publicKey, existsSync(state.rotation), bench.journal.openOrders('rotate')]).toEqual([old.publicKey, false, []]);
  });

  it('never writes over the key of somebody who enrolled the directory anew', async () => {
    bench.journal.acceptOrder(rotation, 'rotate');
    const other = newNkey('user');
    const { rotating } = start({
      tryCredential: async () => { writeNodeIdentity(state, { ...readNodeIdentity(state), natsSeed: other.seed, natsJwt: tokenOf(other.publicKey) }); },
    });
    await expect(rotating.pass()).rejects.toThrow('identity-replaced');
    expect(lying().publicKey).toBe(other.publicKey);
    await start().rotating.pass();
    expect([lying().publicKey, existsSync(state.rotation), takenUp]).toEqual([other.publicKey, false, []]);
  });
});
