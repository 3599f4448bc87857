import { describe, expect, it } from 'vitest';
import { type CredentialCommand, credentialDecider, credentialId } from './credential.decide.ts';
import type { CredentialEvent } from './credential.events.ts';

const { decide, evolve, initialState } = credentialDecider;
const when = (command: CredentialCommand, ...events: CredentialEvent[]) => decide(command, events.reduce(evolve, initialState));
const issue: CredentialCommand = { type: 'IssueCredential', node: 'node_a', publicKey: 'UA', now: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-31T00:00:00.000Z' };
const issued: CredentialEvent = { type: 'CredentialIssued', data: { node: 'node_a', publicKey: 'UA', issuedAt: issue.now, expiresAt: issue.expiresAt } };
const revoke: CredentialCommand = { type: 'RevokeCredential', now: '2026-01-02T00:00:00.000Z', reason: 'stolen' };
const revoked: CredentialEvent = { type: 'CredentialRevoked', data: { node: 'node_a', publicKey: 'UA', revokedAt: revoke.now, reason: 'stolen' } };

describe('a credential', () => {
  it('holds the public key and its expiry, nothing secret', () => {
    expect(when(issue)).toEqual({ ok: true, value: [issued] });
    expect(when(issue, issued)).toEqual({ ok: true, value: [] });
  });
  it('is never issued again once it is revoked', () => {
    expect(when(revoke, issued)).toEqual({ ok: true, value: [revoked] });
    expect(when(revoke, issued, revoked)).toEqual({ ok: true, value: [] });
    expect(when({ ...issue, expiresAt: '2027-01-01T00:00:00.000Z' }, issued, revoked)).toMatchObject({ ok: false, error: { code: 'key-revoked' } });
  });
  it('stays the key of one node', () => {
    expect(when({ ...issue, node: 'node_b' }, issued)).toMatchObject({ ok: false, error: { code: 'key-of-another-node' } });
    expect(credentialId('UA')).not.toBe(credentialId('UB'));
  });
  it('cannot be revoked before it exists', () => {
    expect(when(revoke)).toMatchObject({ ok: false, error: { code: 'credential-not-found' } });
  });
});
