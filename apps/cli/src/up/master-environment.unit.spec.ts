import { expect, it } from 'vitest';
import { ownSettings } from './master-environment.ts';

it('the settings of a master that stand in the environment of holdfast up reach it, and those of the command line do not', () => {
  expect(ownSettings({
    PATH: '/usr/bin', HOME: '/root', HOLDFAST_EXECUTOR_SILENCE: '15', HOLDFAST_LOG_LEVEL: 'debug', HOLDFAST_MISSPELT: '1', HOLDFAST_ABSENT: undefined,
    HOLDFAST_DATA: '/data', HOLDFAST_NATS_SERVER: '/usr/sbin/nats-server', HOLDFAST_URL: 'http://x', HOLDFAST_USER: 'me',
    HOLDFAST_TOKEN: 'secret', HOLDFAST_TOKEN_FILE: '/token', HOLDFAST_PASSWORD: 'secret', HOLDFAST_PASSWORD_FILE: '/password',
  })).toEqual({ HOLDFAST_EXECUTOR_SILENCE: '15', HOLDFAST_LOG_LEVEL: 'debug', HOLDFAST_MISSPELT: '1' });
});
