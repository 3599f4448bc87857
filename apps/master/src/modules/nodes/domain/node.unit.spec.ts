import { describe, expect, it } from 'vitest';
import { type NodeCommand, nodeDecider } from './node.decide.ts';
import type { NodeEvent } from './node.events.ts';

const { decide, evolve, initialState } = nodeDecider;
const given = (...events: NodeEvent[]) => events.reduce(evolve, initialState);
const when = (command: NodeCommand, ...events: NodeEvent[]) => decide(command, given(...events));

const added: NodeEvent = { type: 'NodeAdded', data: { name: 'db1', labels: { site: 'a' }, slots: 2 } };
const host = { hostname: 'db1.example', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };
const enrolled: NodeEvent = { type: 'NodeEnrolled', data: { publicKey: 'UA', recipient: 'age1x', host } };
const add: NodeCommand = { type: 'AddNode', name: 'db1', labels: { site: 'a' }, slots: 2 };

describe('a node', () => {
  it('is added once, however often the command arrives', () => {
    expect(when(add)).toEqual({ ok: true, value: [added] });
    expect(when(add, added)).toEqual({ ok: true, value: [] });
  });

  it('refuses every order before it is added and after it is removed', () => {
    const removed: NodeEvent = { type: 'NodeRemoved', data: { name: 'db1' } };
    for (const command of [{ type: 'DrainNode', reason: '' }, { type: 'ResumeNode' }, { type: 'ChangeNode', slots: 3 }] as const) {
      expect(when(command)).toMatchObject({ ok: false, error: { code: 'node-not-found' } });
      expect(when(command, added, removed)).toMatchObject({ ok: false, error: { code: 'node-not-found' } });
    }
    expect(when({ type: 'RemoveNode' }, added, removed)).toEqual({ ok: true, value: [] });
    expect(when(add, added, removed)).toEqual({ ok: true, value: [] });
  });

  it('records only what a change changes', () => {
    expect(when({ type: 'ChangeNode', name: 'db1', labels: { site: 'b' }, slots: 2 }, added))
      .toEqual({ ok: true, value: [{ type: 'NodeChanged', data: { labels: { site: 'b' } } }] });
    expect(when({ type: 'ChangeNode', name: 'db1', labels: { site: 'a' } }, added)).toEqual({ ok: true, value: [] });
    expect(given(added, { type: 'NodeChanged', data: { slots: 5 } })).toMatchObject({ name: 'db1', slots: 5 });
  });

  it('takes a new key when it enrols again and ignores the same one', () => {
    const again: NodeCommand = { type: 'EnrolNode', ...enrolled.data as { publicKey: string; recipient: string; host: typeof host } };
    expect(when(again, added)).toEqual({ ok: true, value: [enrolled] });
    expect(when(again, added, enrolled)).toEqual({ ok: true, value: [] });
    expect(when({ ...again, publicKey: 'UB' }, added, enrolled)).toMatchObject({ ok: true, value: [{ type: 'NodeEnrolled' }] });
  });

  it('has another key after a rotation, and the same recipient; one that never enrolled has none to replace', () => {
    const replaced: NodeEvent = { type: 'NodeKeyReplaced', data: { publicKey: 'UB' } };
    expect(when({ type: 'ReplaceKey', publicKey: 'UB' }, added, enrolled)).toEqual({ ok: true, value: [replaced] });
    expect(when({ type: 'ReplaceKey', publicKey: 'UB' }, added, enrolled, replaced)).toEqual({ ok: true, value: [] });
    expect(given(added, enrolled, replaced)).toMatchObject({ enrolment: { publicKey: 'UB', recipient: 'age1x' } });
    expect(when({ type: 'ReplaceKey', publicKey: 'UB' }, added)).toEqual({ ok: true, value: [] });
  });

  it('drains and resumes, each once', () => {
    const drained: NodeEvent = { type: 'NodeDrained', data: { reason: 'disk' } };
    expect(when({ type: 'DrainNode', reason: 'disk' }, added)).toEqual({ ok: true, value: [drained] });
    expect(when({ type: 'DrainNode', reason: 'other' }, added, drained)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'ResumeNode' }, added, drained)).toEqual({ ok: true, value: [{ type: 'NodeResumed', data: {} }] });
    expect(when({ type: 'ResumeNode' }, added)).toEqual({ ok: true, value: [] });
  });

  it('is taken out of service and put back, each once, and is drained or not all the same', () => {
    const disabled: NodeEvent = { type: 'NodeDisabled', data: { reason: 'sold' } };
    const drained: NodeEvent = { type: 'NodeDrained', data: { reason: '' } };
    expect(when({ type: 'DisableNode', reason: 'sold' }, added)).toEqual({ ok: true, value: [disabled] });
    expect(when({ type: 'DisableNode', reason: 'other' }, added, disabled)).toEqual({ ok: true, value: [] });
    expect(when({ type: 'EnableNode' }, added, disabled)).toEqual({ ok: true, value: [{ type: 'NodeEnabled', data: {} }] });
    expect(when({ type: 'EnableNode' }, added)).toEqual({ ok: true, value: [] });
    expect(given(added, drained, disabled, { type: 'NodeEnabled', data: {} })).toMatchObject({ drained: true, disabled: false });
  });
});
