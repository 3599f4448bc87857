import { describe, expect, it, vi } from 'vitest';
import { FakeClock, fault } from '#kernel';
import { checkHealth, nestLogger, newLogger, newMetrics, redact } from './index.ts';

const secrets = [
  'AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0S5JYA2X', `SU${'A'.repeat(56)}`, `hfk_${'x'.repeat(43)}`,
  '-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----', 'eyJ0eXAiOiJKV1Qi.eyJqdGkiOiJYWFhY.c2lnbmF0dXJl', 'Bearer abcdefghijkl',
  'postgres://holdfast:hunter2hunter2@db:5432/x', 'https://s3/x?X-Amz-Signature=deadbeefdeadbeef&y=1',
];

const logged = (write: (log: ReturnType<typeof newLogger>) => void): Record<string, unknown>[] => {
  const lines: string[] = [];
  write(newLogger({ level: 'info', name: 'test', destination: { write: (line) => { lines.push(line); } } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe('logging', () => {
  it('writes one JSON object a line, with the fields of its parents', () => {
    const [line] = logged((log) => log.child({ run: 'run_1' }).warn('It waits', { reason: 'busy' }));
    expect(line).toMatchObject({ level: 'warn', name: 'test', msg: 'It waits', run: 'run_1', reason: 'busy' });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(logged((log) => log.debug('no'))).toEqual([]);
  });

  it.each(secrets)('never shows %s', (secret) => {
    const inner = /hunter2\w*|deadbeef\w*|abcdefghijkl/.exec(secret)?.[0] ?? secret;
    const error = new Error(`cannot use ${secret}`, { cause: new Error(secret) });
    const lines = logged((log) => {
      log.child({ a: secret }).info(`text ${secret}`, { nested: { list: [{ value: secret }] }, error });
      nestLogger(log).error(secret, 'Context');
    });
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain(JSON.stringify(inner).slice(1, -1));
  });

  it('hides fields by their name, and bounds what it copies', () => {
    expect(redact({ password: 'x', sessionSecret: 'y', apiKey: 1, seed: 's', passed: 3 })).toEqual({
      password: '[redacted]', sessionSecret: '[redacted]', apiKey: '[redacted]', seed: '[redacted]', passed: 3,
    });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(redact(circle))).toContain('[too deep]');
    expect(redact({ bytes: new Uint8Array(5), big: 5n })).toEqual({ bytes: '[5 bytes]', big: '5' });
  });
});

describe('metrics', () => {
  it('gives the same metric for the same name and refuses another type', async () => {
    const metrics = newMetrics({ role: 'master' });
    metrics.counter({ name: 'holdfast_events_total', help: 'Events', labels: ['type'] }).inc({ type: 'a' });
    metrics.counter({ name: 'holdfast_events_total', help: 'Events', labels: ['type'] }).inc({ type: 'a' });
    metrics.gauge({ name: 'holdfast_lag_events', help: 'Lag' }, (gauge) => { gauge.set(7); });
    const page = await metrics.render();
    expect(page).toContain('holdfast_events_total{type="a",role="master"} 2');
    expect(page).toContain('holdfast_lag_events{role="master"} 7');
    expect(() => metrics.gauge({ name: 'holdfast_events_total', help: 'x' })).toThrow('metric-redefined');
  });
});

describe('health', () => {
  it('tells which dependency is down and what to do, without waiting for ever and without showing foreign texts', async () => {
    const clock = new FakeClock();
    const reasons: string[] = [];
    const report = checkHealth([
      { name: 'good', check: async () => undefined },
      { name: 'told', check: async () => { throw fault('unavailable', 'bus-down', 'Start the bus'); } },
      { name: 'foreign', check: async () => { throw new Error('user secretuser at host'); } },
      { name: 'silent', check: () => new Promise(() => undefined) },
    ], { clock, onFailure: (name, reason) => { reasons.push(`${name} ${reason}`); } });
    await vi.waitFor(() => expect(clock.sleeping).toBe(1));
    await clock.advance(2000);
    expect(await report).toEqual({
      healthy: false,
      indicators: {
        good: { status: 'up', milliseconds: 0 },
        told: { status: 'down', milliseconds: 0, code: 'bus-down', detail: 'Start the bus' },
        foreign: { status: 'down', milliseconds: 0, code: 'internal', detail: 'It does not work; the log says why' },
        silent: { status: 'down', milliseconds: 2000, code: 'no-answer', detail: 'It did not answer within 2000 ms' },
      },
    });
    expect(reasons).toContain('foreign user secretuser at host');
  });

  it('what is advisory is shown, and the process is healthy without it', async () => {
    const warned = { name: 'warned', advisory: true, check: async () => { throw fault('unavailable', 'claims-not-taken', 'See n1'); } };
    const report = await checkHealth([{ name: 'good', check: async () => undefined }, warned], { clock: new FakeClock() });
    expect(report).toMatchObject({ healthy: true, indicators: { warned: { status: 'down', code: 'claims-not-taken', detail: 'See n1' } } });
  });
});
