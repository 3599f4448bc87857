import { describe, expect, it } from 'vitest';
import { type EnrolmentCommand, enrolmentDecider } from './enrolment.decide.ts';
import type { EnrolmentEvent } from './enrolment.events.ts';

const { decide, evolve, initialState } = enrolmentDecider;
const when = (command: EnrolmentCommand, ...events: EnrolmentEvent[]) => decide(command, events.reduce(evolve, initialState));
const issued = { type: 'EnrolmentLinkIssued', data: { node: 'node_a', expiresAt: '2026-01-01T00:15:00.000Z' } } as const;
const consume: EnrolmentCommand = { type: 'ConsumeLink', publicKey: 'UA', now: '2026-01-01T00:14:59.999Z' };
const consumed: EnrolmentEvent = { type: 'EnrolmentLinkConsumed', data: { node: 'node_a', publicKey: 'UA' } };

describe('an enrolment link', () => {
  it('enrols one agent before it expires', () => {
    expect(when(consume, issued)).toEqual({ ok: true, value: [consumed] });
    expect(when({ ...consume, now: '2026-01-01T00:15:00.000Z' }, issued)).toMatchObject({ ok: false, error: { code: 'link-invalid' } });
  });
  it('remembers how its agent is to be installed', () => {
    const install = { mode: 'docker', arch: 'auto', version: 'current' } as const;
    const issue: EnrolmentCommand = { type: 'IssueLink', node: 'node_a', expiresAt: issued.data.expiresAt };
    expect(when(issue)).toEqual({ ok: true, value: [issued] });
    expect(when({ ...issue, install })).toEqual({ ok: true, value: [{ type: 'EnrolmentLinkIssued', data: { ...issued.data, install } }] });
  });
  it('is spent on first use, except for the agent that spent it', () => {
    expect(when({ ...consume, publicKey: 'UB' }, issued, consumed)).toMatchObject({ ok: false, error: { code: 'link-invalid' } });
    expect(when(consume, issued, consumed)).toEqual({ ok: true, value: [] });
  });
  it('says the same of an unknown one as of a spent one', () => {
    expect(when(consume)).toEqual(when({ ...consume, publicKey: 'UB' }, issued, consumed));
  });
  it('expires once, when its time has come and nobody spent it', () => {
    const expire: EnrolmentCommand = { type: 'ExpireLink', now: '2026-01-01T00:15:00.000Z' };
    const expired: EnrolmentEvent = { type: 'EnrolmentLinkExpired', data: { node: 'node_a' } };
    expect(when(expire, issued)).toEqual({ ok: true, value: [expired] });
    expect(when({ ...expire, now: '2026-01-01T00:14:59.999Z' }, issued)).toEqual({ ok: true, value: [] });
    expect(when(expire, issued, expired)).toEqual({ ok: true, value: [] });
    expect(when(expire, issued, consumed)).toEqual({ ok: true, value: [] });
    expect(when(consume, issued, expired)).toMatchObject({ ok: false, error: { code: 'link-invalid' } });
  });
  it('is taken back by an operator while nobody has used it, and is dead from then on', () => {
    const revoked: EnrolmentEvent = { type: 'EnrolmentLinkRevoked', data: { node: 'node_a' } };
    expect(when({ type: 'RevokeLink' }, issued)).toEqual({ ok: true, value: [revoked] });
    expect(when({ type: 'RevokeLink' }, issued, revoked)).toEqual({ ok: true, value: [] });
    expect(when(consume, issued, revoked)).toMatchObject({ ok: false, error: { code: 'link-invalid' } });
    expect(when({ type: 'ExpireLink', now: '2026-01-01T00:15:00.000Z' }, issued, revoked)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'RevokeLink' }, issued, consumed)).toMatchObject({ ok: false, error: { code: 'link-used' } });
    expect(when({ type: 'RevokeLink' })).toMatchObject({ ok: false, error: { code: 'link-not-found' } });
  });
});
