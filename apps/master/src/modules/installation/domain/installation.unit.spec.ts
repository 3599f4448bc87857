import { expect, it } from 'vitest';
import { installationDecider } from './installation.ts';

it('an installation is created once', () => {
  const { decide, evolve, initialState } = installationDecider;
  const first = decide({ type: 'CreateInstallation', version: '1' }, initialState);
  expect(first).toEqual({ ok: true, value: [{ type: 'InstallationCreated', data: { version: '1' } }] });
  const after = evolve(initialState, { type: 'InstallationCreated', data: { version: '1' } });
  expect(decide({ type: 'CreateInstallation', version: '2' }, after)).toEqual({ ok: true, value: [] });
});
