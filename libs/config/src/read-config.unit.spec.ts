import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { afterAll, describe, expect, it } from 'vitest';
import { type AppError } from '#kernel';
import { IsSecret, NatsConfig, Section, Setting, type Variables, asBoolean, asDuration, asInteger, readConfig } from './index.ts';

class Inner {
  @Setting('HOLDFAST_SESSION_SECRET', { aliases: ['SESSION_SECRET'] }) @IsOptional() @IsSecret()
  sessionSecret?: string;
}

class Example {
  @Setting('HOLDFAST_PORT', { parse: asInteger }) @IsInt() @Min(1) @Max(65_535)
  port = 8080;

  @Setting('HOLDFAST_GRACE', { parse: asDuration })
  graceMs = 1000;

  @Setting('HOLDFAST_DEBUG', { parse: asBoolean })
  debug = false;

  @Section(Inner) secrets: Inner;
  @Section(NatsConfig) nats: NatsConfig;
}

const secret = 'gX2v9Qm4Rk7Lp1Zt8Wc5Yb3Nd6Hf0Js=';
const dir = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

const faultsOf = (variables: Variables): readonly string[] => {
  try {
    readConfig(Example, variables);
    return [];
  } catch (error) {
    return ((error as AppError).fields ?? []).map(({ detail }) => detail);
  }
};

describe('readConfig', () => {
  it('gives defaults, parsed values and frozen sections', () => {
    const config = readConfig(Example, { HOLDFAST_PORT: '9000', HOLDFAST_GRACE: '2m', HOLDFAST_NATS_URL: 'nats://a:1, nats://b:2', PATH: '/bin' });
    expect(config).toMatchObject({ port: 9000, graceMs: 120_000, debug: false, nats: { urls: ['nats://a:1', 'nats://b:2'] } });
    expect(Object.isFrozen(config) && Object.isFrozen(config.nats)).toBe(true);
  });

  it('reads a secret from a file, and under the name that older systems use', () => {
    writeFileSync(join(dir, 'secret'), `${secret}\n`);
    expect(readConfig(Example, { HOLDFAST_SESSION_SECRET_FILE: join(dir, 'secret') }).secrets.sessionSecret).toBe(secret);
    expect(readConfig(Example, { SESSION_SECRET: secret }).secrets.sessionSecret).toBe(secret);
  });

  it('reports all faults together and repeats no value', () => {
    const faults = faultsOf({ HOLDFAST_PORT: 'eighty', HOLDFAST_DEBUG: 'perhaps', HOLDFAST_PROT: '1', SESSION_SECRET: 'hunter2', HOLDFAST_NATS_URL: 'gopher://q' });
    expect(faults).toHaveLength(5);
    expect(faults.join()).not.toMatch(/eighty|perhaps|hunter2|gopher:\/\/q/);
    expect(faults.join()).toContain('HOLDFAST_PROT is no setting of this program');
  });

  it.each([
    [{ HOLDFAST_PORT: '70000' }, 'HOLDFAST_PORT'],
    [{ HOLDFAST_SESSION_SECRET_FILE: join(dir, 'absent') }, 'ENOENT'],
    [{ HOLDFAST_SESSION_SECRET: secret, SESSION_SECRET: `${secret}x` }, 'say different things'],
    [{ SESSION_SECRET: 'your_unique_session_secret_________' }, 'no placeholder'],
    [{ SESSION_SECRET: 'a'.repeat(40) }, 'no placeholder'],
  ])('refuses %j', (variables, what) => {
    const faults = faultsOf(variables);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(what);
  });
});
