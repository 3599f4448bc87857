import { expect, it } from 'vitest';
import { installationDecider } from './installation.ts';

it('an installation is created once', () => {
  const { decide, evolve, initialState } = installationDecider;
  const first = decide({ type: 'CreateInstallation', version: '1' }, initialState);
  expect(first).toEqual({ ok: true, value: [{ type: 'InstallationCreated', data: { version: '1' } }] });
  const after = evolve(initialState, { type: 'InstallationCreated', data: { version: '1' } });
  expect(decide({ type: 'CreateInstallation', version: '2' }, after)).toEqual({ ok: true, value: [] });
});

it('a recovery recipient is added once for each class, and there is a limit', () => {
  const { decide, evolve, initialState } = installationDecider;
  const add = (recipient: string, kind: 'data' | 'catalog' = 'data') => ({ type: 'AddRecoveryRecipient', class: kind, recipient }) as const;
  let state = evolve(initialState, { type: 'RecoveryRecipientAdded', data: { class: 'data', recipient: 'age1a' } });
  expect(decide(add('age1a'), state)).toEqual({ ok: true, value: [] });
  expect(decide(add('age1a', 'catalog'), state)).toMatchObject({ ok: true, value: [{ type: 'RecoveryRecipientAdded' }] });
  for (let i = 0; i < 15; i++) state = evolve(state, { type: 'RecoveryRecipientAdded', data: { class: 'data', recipient: `age1${i}` } });
  expect(decide(add('age1x'), state)).toMatchObject({ ok: false, error: { code: 'too-many-recipients' } });
});
