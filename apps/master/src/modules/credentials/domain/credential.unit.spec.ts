import { describe, expect, it } from 'vitest';
import { type CredentialCommand, credentialDecider, credentialId } from './credential.decide.ts';
import type { CredentialEvent } from './credential.events.ts';

const { decide, evolve, initialState } = credentialDecider;
const given = (...events: CredentialEvent[]) => events.reduce(evolve, initialState);
const when = (command: CredentialCommand, ...events: CredentialEvent[]) => decide(command, given(...events));
const key = { node: 'node_a', publicKey: 'UA' };
const issue: CredentialCommand = { type: 'IssueCredential', ...key, now: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-31T00:00:00.000Z' };
const issued: CredentialEvent = { type: 'CredentialIssued', data: { ...key, issuedAt: issue.now, expiresAt: issue.expiresAt } };
const revoke: CredentialCommand = { type: 'RevokeCredential', now: '2026-01-02T00:00:00.000Z', reason: 'stolen' };
const revoked: CredentialEvent = { type: 'CredentialRevoked', data: { ...key, revokedAt: revoke.now, reason: 'stolen' } };
const request: CredentialCommand = { type: 'RequestRotation', rotation: 'rot_1', graceSeconds: 60, now: '2026-01-03T00:00:00.000Z' };
const requested: CredentialEvent = {
  type: 'CredentialRotationRequested', data: { ...key, rotation: 'rot_1', requestedAt: request.now, graceSeconds: 60 },
};
const rotate: CredentialCommand = { type: 'Rotate', rotation: 'rot_1', successor: 'UB', now: '2026-01-03T00:00:01.000Z' };
const rotated: CredentialEvent = {
  type: 'CredentialRotated',
  data: { ...key, rotation: 'rot_1', successor: 'UB', rotatedAt: rotate.now, graceUntil: '2026-01-03T00:01:01.000Z' },
};
/** The new key, as its own history tells it. */
const by = { rotation: 'rot_1', replaces: 'UA' };
const issueNew: CredentialCommand = { ...issue, publicKey: 'UB', now: rotate.now, by };
const issuedNew: CredentialEvent = { type: 'CredentialIssued', data: { ...key, publicKey: 'UB', issuedAt: rotate.now, expiresAt: issue.expiresAt, ...by } };
const refusal = (code: string) => ({ ok: false, error: { code } });
const nothing = { ok: true, value: [] };

describe('a credential', () => {
  it('holds the public key and its expiry, nothing secret', () => {
    expect(when(issue)).toEqual({ ok: true, value: [issued] });
    expect(when(issue, issued)).toEqual(nothing);
  });
  it('is never issued again once it is revoked', () => {
    expect(when(revoke, issued)).toEqual({ ok: true, value: [revoked] });
    expect(when(revoke, issued, revoked)).toEqual(nothing);
    expect(when({ ...issue, expiresAt: '2027-01-01T00:00:00.000Z' }, issued, revoked)).toMatchObject(refusal('key-revoked'));
  });
  it('stays the key of one node', () => {
    expect(when({ ...issue, node: 'node_b' }, issued)).toMatchObject(refusal('key-of-another-node'));
    expect(credentialId('UA')).not.toBe(credentialId('UB'));
  });
  it('can be nothing before it exists', () => {
    for (const command of [revoke, request, rotate, { type: 'RenewCredential', now: issue.now, expiresAt: issue.expiresAt }] as const) {
      expect(when(command)).toMatchObject(refusal('credential-not-found'));
    }
  });
});

describe('renewing a token', () => {
  const renew = (now: string): CredentialCommand => ({ type: 'RenewCredential', now, expiresAt: '2026-02-28T00:00:00.000Z' });
  it('gives the same one in the first half of its life, however often it is asked for, and a new one later', () => {
    expect(when(renew('2026-01-15T23:59:59.999Z'), issued)).toEqual(nothing);
    const renewed: CredentialEvent = { type: 'CredentialIssued', data: { ...key, issuedAt: '2026-01-16T00:00:00.000Z', expiresAt: '2026-02-28T00:00:00.000Z' } };
    expect(when(renew('2026-01-16T00:00:00.000Z'), issued)).toEqual({ ok: true, value: [renewed] });
    expect(when(renew('2026-01-16T00:00:00.000Z'), issued, renewed)).toEqual(nothing);
  });
  it('brings back a host that was away longer than its token lived', () => {
    const expired: CredentialEvent = { type: 'CredentialExpired', data: { ...key, expiredAt: issue.expiresAt } };
    const expire: CredentialCommand = { type: 'ExpireCredential', now: issue.expiresAt };
    expect(when(expire, issued)).toEqual({ ok: true, value: [expired] });
    expect(when({ ...expire, now: '2026-01-30T23:59:59.999Z' }, issued)).toEqual(nothing);
    expect(when(expire, issued, expired)).toEqual(nothing);
    expect(when(renew('2026-06-01T00:00:00.000Z'), issued, expired)).toMatchObject({ ok: true, value: [{ type: 'CredentialIssued' }] });
  });
  it('is refused for a key that was revoked or replaced', () => {
    expect(when(renew('2026-01-16T00:00:00.000Z'), issued, revoked)).toMatchObject(refusal('credential-revoked'));
    expect(when(renew('2026-01-16T00:00:00.000Z'), issued, requested, rotated)).toMatchObject(refusal('credential-replaced'));
  });
});

describe('a rotation', () => {
  it('is asked for once: a second one is told that one is under way, until the agent has connected with its new key', () => {
    expect(when(request, issued)).toEqual({ ok: true, value: [requested] });
    expect(when(request, issued, requested)).toEqual(nothing);
    const second: CredentialCommand = { ...request, rotation: 'rot_2' };
    expect(when(second, issued, requested)).toMatchObject(refusal('rotation-under-way'));
    expect(when(second, issuedNew)).toMatchObject(refusal('rotation-under-way'));
    const takenUp: CredentialEvent = { type: 'CredentialTakenUp', data: { ...key, publicKey: 'UB', rotation: 'rot_1' } };
    const takeUp: CredentialCommand = { type: 'TakeUp', rotation: 'rot_1' };
    expect(when(takeUp, issuedNew)).toEqual({ ok: true, value: [takenUp] });
    expect(when(takeUp, issuedNew, takenUp)).toEqual(nothing);
    expect(when(second, issuedNew, takenUp)).toMatchObject({ ok: true, value: [{ type: 'CredentialRotationRequested' }] });
  });
  it('takes one new key and gives whoever repeats it the same answer; another one comes too late', () => {
    expect(when(rotate, issued, requested)).toEqual({ ok: true, value: [rotated] });
    expect(when(rotate, issued, requested, rotated)).toEqual(nothing);
    expect(when({ ...rotate, successor: 'UC' }, issued, requested, rotated)).toMatchObject(refusal('rotation-over'));
    expect(when(rotate, issued)).toMatchObject(refusal('rotation-over'));
    expect(when(rotate, issued, revoked)).toMatchObject(refusal('credential-revoked'));
    expect(when(issueNew)).toEqual({ ok: true, value: [issuedNew] });
    expect(when(issueNew, issuedNew)).toEqual(nothing);
  });
  it('wants a key that was made for it', () => {
    expect(when(issueNew, { ...issuedNew, data: { ...key, publicKey: 'UB', issuedAt: rotate.now, expiresAt: issue.expiresAt } })).toMatchObject(refusal('key-not-new'));
  });
  it('leaves the old key working for its grace, and then ends it once', () => {
    const end = (now: string): CredentialCommand => ({ type: 'EndGrace', now });
    expect(when(end('2026-01-03T00:01:00.999Z'), issued, requested, rotated)).toEqual(nothing);
    const ended = when(end('2026-01-03T00:01:01.000Z'), issued, requested, rotated);
    expect(ended).toMatchObject({ ok: true, value: [{ type: 'CredentialRevoked', data: { publicKey: 'UA' } }] });
    expect(when(end('2026-01-03T00:01:02.000Z'), issued, requested, rotated, ...(ended.ok ? ended.value : []))).toEqual(nothing);
    expect(when(end('2026-01-03T00:01:02.000Z'), issued)).toEqual(nothing);
  });
  it('that no agent answers is cancelled by somebody, or abandoned after seven days; its key stays, and another one may be asked for', () => {
    const cancel: CredentialCommand = { type: 'CancelRotation', now: '2026-01-03T01:00:00.000Z' };
    const abandon = (now: string): CredentialCommand => ({ type: 'AbandonRotation', now });
    const cancelled = when(cancel, issued, requested);
    expect(cancelled).toMatchObject({ ok: true, value: [{ type: 'CredentialRotationAbandoned', data: { publicKey: 'UA', rotation: 'rot_1', code: 'cancelled' } }] });
    expect(when(abandon('2026-01-09T23:59:59.999Z'), issued, requested)).toEqual(nothing);
    const abandoned = when(abandon('2026-01-10T00:00:00.000Z'), issued, requested);
    expect(abandoned).toMatchObject({ ok: true, value: [{ type: 'CredentialRotationAbandoned', data: { code: 'not-answered' } }] });
    for (const over of [cancelled, abandoned]) {
      const history = [issued, requested, ...(over.ok ? over.value : [])];
      expect(when(rotate, ...history)).toMatchObject(refusal('rotation-over'));
      expect(when({ ...request, rotation: 'rot_2' }, ...history)).toMatchObject({ ok: true, value: [{ data: { rotation: 'rot_2' } }] });
      expect(when(cancel, ...history)).toMatchObject(refusal('rotation-not-open'));
      expect(when(abandon('2026-02-01T00:00:00.000Z'), ...history)).toEqual(nothing);
    }
    expect(when(cancel, issued, requested, rotated)).toMatchObject(refusal('rotation-not-open'));
    expect(when(cancel, issuedNew)).toMatchObject(refusal('rotation-answered'));
  });
  it('is over for a key that is revoked meanwhile', () => {
    const end: CredentialCommand = { type: 'EndGrace', now: '2027-01-01T00:00:00.000Z' };
    expect(when(rotate, issued, requested, revoked)).toMatchObject(refusal('credential-revoked'));
    expect(when(end, issued, requested, rotated, revoked)).toEqual(nothing);
  });
});
