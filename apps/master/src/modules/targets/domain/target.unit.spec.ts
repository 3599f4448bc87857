import { describe, expect, it } from 'vitest';
import { type TargetCommand, targetDecider } from './target.decide.ts';
import type { S3Settings, TargetEvent } from './target.events.ts';

const { decide, evolve, initialState } = targetDecider;
const given = (...events: TargetEvent[]) => events.reduce(evolve, initialState);
const when = (command: TargetCommand, ...events: TargetEvent[]) => decide(command, given(...events));
const s3: S3Settings = { kind: 's3', region: 'eu', bucket: 'b', prefix: '', pathStyle: true, accessKeyId: 'AK' };
const added: TargetEvent = { type: 'TargetAdded', data: { name: 'offsite', settings: s3, secret: 'v1' } };
const test = { passed: true, presigned: true, steps: [] };
const tested: TargetEvent = { type: 'TargetTested', data: test };

describe('a target', () => {
  it('is added once', () => {
    const add: TargetCommand = { type: 'AddTarget', name: 'offsite', settings: s3, secret: 'v1' };
    expect(when(add)).toEqual({ ok: true, value: [added] });
    expect(when(add, added)).toEqual({ ok: true, value: [] });
  });
  it('keeps its kind', () => {
    expect(when({ type: 'ChangeTarget', settings: { kind: 'builtin' } }, added)).toMatchObject({ ok: false, error: { code: 'target-kind-fixed' } });
  });
  it('records only what a change changes, whatever the order of the fields', () => {
    const { kind, region, ...rest } = s3;
    expect(when({ type: 'ChangeTarget', name: 'offsite', settings: { ...rest, region, kind }, secret: 'v1' }, added)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'ChangeTarget', secret: 'v2' }, added)).toEqual({ ok: true, value: [{ type: 'TargetChanged', data: { secret: 'v2' } }] });
  });
  it('forgets a test when its settings or its secret change, not when its name does', () => {
    expect(given(added, tested)).toMatchObject({ test: { passed: true, presigned: true } });
    expect(given(added, tested, { type: 'TargetChanged', data: { name: 'other' } })).toMatchObject({ name: 'other', test: { passed: true } });
    expect(given(added, tested, { type: 'TargetChanged', data: { secret: 'v2' } })).not.toHaveProperty('test');
    expect(given(added, tested, { type: 'TargetChanged', data: { settings: { ...s3, bucket: 'c' } } })).not.toHaveProperty('test');
  });
  it('is gone for good when it is removed', () => {
    const removed: TargetEvent = { type: 'TargetRemoved', data: { name: 'offsite' } };
    expect(when({ type: 'RemoveTarget' }, added)).toEqual({ ok: true, value: [removed] });
    expect(when({ type: 'RemoveTarget' }, added, removed)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'RecordTest', test }, added, removed)).toMatchObject({ ok: false, error: { code: 'target-not-found' } });
  });
});
