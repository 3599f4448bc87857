import { describe, expect, it } from 'vitest';
import { nameDecider } from './name.decide.ts';
import { initialName, nameId, type NameState } from './name.state.ts';

const taken: NameState = { status: 'taken', owner: 'task_a' };
const take = (owner: string) => ({ type: 'TakeName', kind: 'task', name: 'Nightly', owner }) as const;

describe('name', () => {
  it('gives a free name to whoever asks first', () => {
    expect(nameDecider.decide(take('task_a'), initialName)).toEqual({
      ok: true, value: [{ type: 'NameTaken', data: { kind: 'task', name: 'Nightly', owner: 'task_a' } }],
    });
  });
  it('refuses a name that is somebody else\'s', () => {
    expect(nameDecider.decide(take('task_b'), taken)).toMatchObject({ ok: false, error: { code: 'name-taken', kind: 'conflict' } });
  });
  it('does nothing when the owner takes it again', () => {
    expect(nameDecider.decide(take('task_a'), taken)).toEqual({ ok: true, value: [] });
  });
  it('lets only the owner give it back', () => {
    expect(nameDecider.decide({ type: 'ReleaseName', owner: 'task_b' }, taken)).toEqual({ ok: true, value: [] });
    expect(nameDecider.decide({ type: 'ReleaseName', owner: 'task_a' }, taken)).toMatchObject({ ok: true, value: [{ type: 'NameReleased' }] });
  });
  it('is one name whatever the case, composition and spacing, and another for another kind', () => {
    expect(nameId('task', '  Caf\u0065\u0301   Nightly ')).toBe(nameId('task', 'caf\u00e9 nightly'));
    expect(nameId('task', 'nightly')).not.toBe(nameId('node', 'nightly'));
  });
});
