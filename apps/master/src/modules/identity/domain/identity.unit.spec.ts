import { describe, expect, it } from 'vitest';
import { apiKeyDecider, type ApiKeyEvent } from './api-key.decide.ts';
import { mayActAs } from '../../../platform/domain/role.ts';
import { userDecider } from './user.decide.ts';
import type { UserEvent } from './user.events.ts';

const user = (...events: UserEvent[]) => events.reduce(userDecider.evolve, userDecider.initialState);
const key = (...events: ApiKeyEvent[]) => events.reduce(apiKeyDecider.evolve, apiKeyDecider.initialState);
const created: UserEvent = { type: 'UserCreated', data: { name: 'ada', role: 'operator' } };
const disabled: UserEvent = { type: 'UserDisabled', data: { name: 'ada' } };

describe('a user', () => {
  it('is created once and never comes back after it is disabled', () => {
    expect(userDecider.decide({ type: 'CreateUser', name: 'ada', role: 'operator' }, user())).toEqual({ ok: true, value: [created] });
    expect(userDecider.decide({ type: 'CreateUser', name: 'ada', role: 'operator' }, user(created))).toEqual({ ok: true, value: [] });
    for (const command of [{ type: 'GrantRole', role: 'admin' }, { type: 'ChangePassword' }] as const) {
      expect(userDecider.decide(command, user(created, disabled))).toMatchObject({ ok: false, error: { code: 'user-disabled' } });
    }
  });
  it('gets a role once', () => {
    expect(userDecider.decide({ type: 'GrantRole', role: 'admin' }, user(created))).toMatchObject({ ok: true, value: [{ type: 'RoleGranted' }] });
    expect(userDecider.decide({ type: 'GrantRole', role: 'operator' }, user(created))).toEqual({ ok: true, value: [] });
  });
  it('may do what lower roles may, and no more', () => {
    expect(mayActAs('admin', 'viewer')).toBe(true);
    expect(mayActAs('operator', 'operator')).toBe(true);
    expect(mayActAs('viewer', 'operator')).toBe(false);
    expect(mayActAs('operator', 'admin')).toBe(false);
  });
});

describe('an API key', () => {
  it('is created once, revoked once, and holds no secret', () => {
    const made: ApiKeyEvent = { type: 'ApiKeyCreated', data: { name: 'ci', role: 'viewer', expiresAt: '2027-01-01T00:00:00.000Z' } };
    const revoked: ApiKeyEvent = { type: 'ApiKeyRevoked', data: { name: 'ci' } };
    expect(apiKeyDecider.decide({ type: 'CreateApiKey', ...made.data as { name: string; role: 'viewer'; expiresAt: string } }, key())).toEqual({ ok: true, value: [made] });
    expect(apiKeyDecider.decide({ type: 'RevokeApiKey' }, key(made))).toEqual({ ok: true, value: [revoked] });
    expect(apiKeyDecider.decide({ type: 'RevokeApiKey' }, key(made, revoked))).toEqual({ ok: true, value: [] });
    expect(apiKeyDecider.decide({ type: 'RevokeApiKey' }, key())).toMatchObject({ ok: false, error: { code: 'api-key-not-found' } });
  });
});
