import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeJwt, newNkey } from '#identity';
import { FakeClock, fault, parseTime, rfc3339 } from '#kernel';
import type { NodeIdentity } from '../state/node-identity.ts';
import { stateDirectoryAt } from '../state/state-directory.ts';
import { statusLines, statusOf } from '../verbs/status.verb.ts';
import { explain } from './explain.ts';
import { type AgentStatus, readStatus, writeStatus } from './status-file.ts';

const clock = new FakeClock(parseTime('2026-01-01T00:00:00.000Z'));
const key = newNkey('account');
const identity = (exp?: number): NodeIdentity => ({
  facts: { node: 'node_00000000000000000001', master: 'https://m', natsUrls: ['tls://m:4222'], commandKeys: [] },
  natsSeed: 'SUSECRET', ageIdentity: 'AGE-SECRET-KEY-1',
  natsJwt: encodeJwt({ iat: 0, sub: 'U', name: 'n', nats: { type: 'user' }, ...(exp === undefined ? {} : { exp }) }, key),
});
const status = (more: Partial<AgentStatus> = {}): AgentStatus => ({
  pid: process.pid, version: '1.0.0', startedAt: '2025-12-31T00:00:00.000Z', at: rfc3339(clock.now() - 5_000), node: 'node_00000000000000000001', server: 'm:4222',
  connected: true, since: '2025-12-31T10:00:00.000Z', running: [], waitingReports: 0, refusedReports: 0, ...more,
});
const linesOf = (last?: AgentStatus, exp?: number): string => statusLines(statusOf(identity(exp), last, clock), clock.now()).join('\n');

describe('the status of an agent', () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-status-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('is written for its owner alone and read back; none is none', () => {
    const state = stateDirectoryAt(dir);
    expect(readStatus(state)).toBeUndefined();
    writeStatus(state, status());
    expect(readStatus(state)).toEqual(status());
    expect(statSync(join(dir, 'status.json')).mode & 0o777).toBe(0o600);
  });
  it('tells what a person needs: connected and since when, version, work, reports, the end of the credential', () => {
    const text = linesOf(status({ waitingReports: 2, running: [{ run: 'run_a', attempt: 3, acceptedAt: '2025-12-31T23:00:00.000Z' }] }), clock.now() / 1000 + 86_400 * 12);
    for (const words of [
      'node_00000000000000000001 of https://m', 'running, version 1.0.0', 'yes, to m:4222 since 2025-12-31T10:00:00.000Z', 'expires 2026-01-13T00:00:00.000Z (in 12 days)',
      '2 wait to be sent', 'run_a (attempt 3, since 2025-12-31T23:00:00.000Z)',
    ]) expect(text).toContain(words);
    expect(text).not.toMatch(/SUSECRET|AGE-SECRET/);
    expect(linesOf(status(), clock.now() / 1000 - 1)).toContain('(EXPIRED)');
  });
  it('knows one that runs from one that ended, was killed, hangs or never ran', () => {
    const agent = (last?: AgentStatus): string => statusOf(identity(), last, clock).agent;
    expect(agent(status())).toBe('running');
    expect([agent(undefined), agent(status({ ended: true }))]).toEqual(['stopped', 'stopped']);
    expect([agent(status({ pid: 2 ** 30 })), agent(status({ at: rfc3339(clock.now() - 61_000) }))]).toEqual(['silent', 'silent']);
    expect(linesOf(status({ connected: false }))).toMatch(/connected +no, since 2025/);
    expect(linesOf(status({ pid: 2 ** 30 }))).toMatch(/connected +no;/);
  });
});

describe('an error of a connection', () => {
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  it.each([
    ['ENOTFOUND', 'dns'], ['EAI_AGAIN', 'dns'], ['ECONNREFUSED', 'refused'], ['ETIMEDOUT', 'tcp'], ['EHOSTUNREACH', 'tcp'], ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'], ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'], ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'], ['CERT_NOT_YET_VALID', 'clock'],
    ['AUTHORIZATION_VIOLATION', 'login'], ['SOMETHING', 'answer'],
  ])('%s is an obstacle of the kind %s', (code, obstacle) => {
    expect(explain(failed(code)).obstacle).toBe(obstacle);
    expect(explain(new Error('outer', { cause: failed(code) })).obstacle).toBe(obstacle);
    expect(explain(Object.assign(new Error('of the client'), { code: 'OTHER', chainedError: failed(code) })).obstacle).toBe(obstacle);
  });
  it('of a proxy is in its own words', () => {
    expect(explain(fault('unavailable', 'proxy-refused', 'no'))).toEqual({ obstacle: 'proxy', detail: 'no' });
  });
});
