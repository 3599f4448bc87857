import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Nkey, isProven, issueNodeToken, newNkey } from '#identity';
import { FakeClock, fault, silentLogger } from '#kernel';
import { waitUntil } from '#testing';
import { readNodeIdentity, writeNodeIdentity } from '../state/node-identity.ts';
import { readRotation, writeRotation } from '../state/rotation-file.ts';
import { type StateDirectory, openStateDirectory } from '../state/state-directory.ts';
import { ScriptedAsk, scratch } from '../testing.ts';
import { AgentCredential } from './agent-credential.ts';
import { RecoveryProcess } from './recovery.process.ts';
import { RenewalProcess, renewalDue } from './renewal.process.ts';

const node = 'node_00000000000000000001';
const day = 86_400_000;
const agents = newNkey('account');
let clock: FakeClock;
let room: ReturnType<typeof scratch>;
let state: StateDirectory;
let key: Nkey;
let credential: AgentCredential;
let switched: number;
let ask: ScriptedAsk;
let renewal: RenewalProcess;
const tokenOf = (publicKey = key.publicKey): string => issueNodeToken({ agents }, { nodeId: node, publicKey, now: clock.now() }).jwt;
const lying = (): string => readNodeIdentity(state).natsJwt;

beforeEach(() => {
  clock = new FakeClock();
  room = scratch();
  state = openStateDirectory(join(room.dir, 'state'));
  key = newNkey('user');
  writeNodeIdentity(state, {
    facts: { node, master: 'http://127.0.0.1:1', natsUrls: ['nats://127.0.0.1:1'], commandKeys: [{ id: 'a', publicKey: 'b' }] },
    natsSeed: key.seed, natsJwt: tokenOf(), ageIdentity: 'AGE-SECRET-KEY-1X',
  });
  credential = new AgentCredential(state, readNodeIdentity(state));
  ask = new ScriptedAsk();
  ask.script = (_, { id, publicKey, proof }) => {
    expect(isProven(publicKey as string, proof as string, 'renew', node, id)).toBe(true);
    return { id, status: 'ok', value: { jwt: tokenOf() } };
  };
  switched = 0;
  renewal = new RenewalProcess({ state, credential, ask, node, switchOver: async () => { switched += 1; }, clock, logger: silentLogger, jitter: 0 });
});
afterEach(() => room.remove());

describe('renewal', () => {
  it('comes after two thirds of a token\'s life, up to a tenth of it later, so that a fleet does not come at once', () => {
    const life = { issuedAt: 0, expiresAt: 30 * day };
    expect([0, 1].map((jitter) => Math.round(renewalDue(life, jitter)))).toEqual([20 * day, 23 * day]);
  });

  it('leaves a fresh token alone, and replaces one that is due here, on the disk and on the bus', async () => {
    const first = credential.jwt;
    await clock.advance(20 * day - 1_000);
    await renewal.pass();
    expect([ask.asked, credential.jwt]).toEqual([[], first]);
    await clock.advance(1_000);
    await renewal.pass();
    expect([credential.jwt === first, lying(), switched]).toEqual([false, credential.jwt, 1]);
    expect(credential.life?.expiresAt).toBeGreaterThan(clock.now() + 29 * day);
  });

  it('goes on asking while no master answers, and stops when it has a token', async () => {
    const answers = ask.script;
    ask.script = () => { throw fault('unavailable', 'master-unreachable', 'Away'); };
    await clock.advance(21 * day);
    const ending = new AbortController();
    const loop = renewal.run(ending.signal);
    await waitUntil(() => clock.sleeping === 1);
    for (let n = 0; n < 6; n++) {
      const before = ask.asked.length;
      await clock.advance(30_000);
      expect(ask.asked.length).toBeGreaterThan(before);
    }
    ask.script = answers;
    await clock.advance(30_000);
    await waitUntil(() => switched === 1 && clock.sleeping === 1);
    const asked = ask.asked.length;
    await clock.advance(24 * 3_600_000);
    expect(ask.asked).toHaveLength(asked);
    ending.abort(new Error('end'));
    await loop;
  });

  it('asks less often when the masters think that it is not time, and never during a rotation', async () => {
    const same = credential.jwt;
    ask.script = (_, { id }) => ({ id, status: 'ok', value: { jwt: same } });
    await clock.advance(25 * day);
    await renewal.pass();
    await renewal.pass();
    expect([ask.asked.length, switched]).toEqual([1, 0]);
    await clock.advance(3_600_000);
    writeRotation(state, { rotation: 'rot_00000000000000000001', replaces: key.publicKey, seed: newNkey('user').seed });
    await renewal.pass();
    expect(ask.asked).toHaveLength(1);
  });

  it('takes no token of another key', async () => {
    ask.script = (_, { id }) => ({ id, status: 'ok', value: { jwt: tokenOf(newNkey('user').publicKey) } });
    await clock.advance(21 * day);
    const before = credential.jwt;
    await expect(renewal.pass()).rejects.toThrow('token-unfit');
    expect([credential.jwt, lying()]).toEqual([before, before]);
  });
});

describe('a host whose token the bus does not take', () => {
  let posts: { path: string; body: Record<string, string> }[];
  /** Keys that the masters know, and how they refuse others. */
  let known: Set<string>;
  let recovery: RecoveryProcess;
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const words = body as Record<string, string>;
    posts.push({ path, body: words });
    if (path.endsWith(':challenge')) return { nonce: `nonce-${posts.length}`, expiresAt: '' };
    if (!isProven(words['publicKey']!, words['proof']!, 'renew', node, words['nonce']!)) throw fault('unauthorized', 'challenge-invalid', 'Wrong');
    if (!known.has(words['publicKey']!)) throw fault('refused', 'credential-revoked', 'Revoked');
    return { jwt: tokenOf(words['publicKey']) };
  };
  beforeEach(() => {
    [posts, known] = [[], new Set([key.publicKey])];
    recovery = new RecoveryProcess({ state, credential, node, post, onReplaced: () => undefined, clock, logger: silentLogger });
  });

  it('signs a word of the master with its key, and has a new token', async () => {
    await clock.advance(60 * day);
    const before = credential.jwt;
    await recovery.pass();
    expect([credential.jwt === before, lying()]).toEqual([false, credential.jwt]);
    expect(JSON.stringify(posts)).not.toContain(key.seed);
  });

  it('takes up the new key of a rotation whose answer was lost, and its own again when the masters do not know that one', async () => {
    const next = newNkey('user');
    const inHand = { rotation: 'rot_00000000000000000001', replaces: key.publicKey, seed: next.seed };
    writeRotation(state, inHand);
    await recovery.pass();
    expect(credential.publicKey).toBe(key.publicKey);
    known = new Set([next.publicKey]);
    await recovery.pass();
    expect([credential.publicKey, readNodeIdentity(state).natsSeed, readRotation(state)?.accepted]).toEqual([next.publicKey, next.seed, true]);
  });

  it('ends the agent when somebody else has enrolled its state directory anew, and asks nothing', async () => {
    const replaced: Error[] = [];
    recovery = new RecoveryProcess({ state, credential, node, post, onReplaced: (error) => replaced.push(error), clock, logger: silentLogger });
    const other = newNkey('user');
    writeNodeIdentity(state, { ...readNodeIdentity(state), natsSeed: other.seed, natsJwt: tokenOf(other.publicKey) });
    const ending = new AbortController();
    const loop = recovery.run(ending.signal);
    recovery.refused();
    await waitUntil(() => replaced.length === 1);
    expect([posts, replaced[0], readNodeIdentity(state).natsSeed]).toEqual([[], expect.objectContaining({ code: 'identity-replaced' }), other.seed]);
    ending.abort(new Error('end'));
    await loop;
  });

  it('asks once a refusal, rarely when it is revoked, and soon again after it was connected', async () => {
    known = new Set();
    const ending = new AbortController();
    const loop = recovery.run(ending.signal);
    recovery.refused();
    await waitUntil(() => posts.length === 2 && clock.sleeping === 1);
    recovery.refused();
    await clock.advance(200_000);
    expect(posts).toHaveLength(2);
    await clock.advance(100_000);
    await waitUntil(() => posts.length === 4 && clock.sleeping === 1);
    await clock.advance(900_000);
    expect(posts).toHaveLength(4);
    known = new Set([key.publicKey]);
    recovery.calm();
    recovery.refused();
    await waitUntil(() => posts.length === 6 && credential.jwt === lying());
    ending.abort(new Error('end'));
    await loop;
  });
});
