import { describe, expect, it } from 'vitest';
import { snapshotDecider, type SnapshotCommand, type SnapshotState } from './snapshot.ts';

const live: SnapshotState = { held: false, forgotten: false };
const forget: SnapshotCommand = { type: 'ForgetSnapshot', run: 'run_1', reason: 'retention' };
const decide = (state: SnapshotState, command: SnapshotCommand) => {
  const decided = snapshotDecider.decide(command, state);
  return decided.ok ? decided.value.map((event) => event.type) : decided.error.code;
};

describe('a snapshot', () => {
  it('that is held is not forgotten', () => {
    expect(decide({ ...live, held: true }, forget)).toBe('snapshot-held');
    expect(decide(live, forget)).toEqual(['SnapshotForgotten']);
  });
  it('that is forgotten cannot be held, released or verified, and is not forgotten twice', () => {
    const gone = { ...live, forgotten: true };
    expect(decide(gone, { type: 'HoldSnapshot', reason: 'x' })).toBe('snapshot-forgotten');
    expect(decide(gone, forget)).toEqual([]);
  });
  it('is held and released once each', () => {
    expect(decide(live, { type: 'HoldSnapshot', reason: 'x' })).toEqual(['SnapshotHeld']);
    expect(decide({ ...live, held: true }, { type: 'HoldSnapshot', reason: 'x' })).toEqual([]);
    expect(decide(live, { type: 'ReleaseSnapshot' })).toEqual([]);
  });
});
