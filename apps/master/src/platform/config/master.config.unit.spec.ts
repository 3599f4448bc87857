import { describe, expect, it } from 'vitest';
import { readConfig } from '#config';
import { isAppError } from '#kernel';
import { MasterConfig } from './master.config.ts';

const read = (variables: Readonly<Record<string, string>>) => readConfig(MasterConfig, variables);
const faults = (variables: Readonly<Record<string, string>>): readonly string[] => {
  try {
    read(variables);
    return [];
  } catch (error) {
    return isAppError(error) ? (error.fields ?? []).map(({ detail }) => detail) : [String(error)];
  }
};

describe('the rule by which a node is offline', () => {
  it('is 45 seconds, three heartbeats of 15, and settable', () => {
    expect(read({}).agents).toMatchObject({ heartbeat: 15, offlineAfter: 45 });
    expect(read({ HOLDFAST_HEARTBEAT_SECONDS: '2', HOLDFAST_OFFLINE_AFTER_SECONDS: '6' }).agents).toMatchObject({ heartbeat: 2, offlineAfter: 6 });
  });
  it('never counts fewer than three missing heartbeats, whichever of the two is set', () => {
    const detail = 'HOLDFAST_OFFLINE_AFTER_SECONDS must be at least 3 times HOLDFAST_HEARTBEAT_SECONDS';
    expect(faults({ HOLDFAST_OFFLINE_AFTER_SECONDS: '44' })).toEqual([detail]);
    expect(faults({ HOLDFAST_HEARTBEAT_SECONDS: '16' })).toEqual([detail]);
  });
});
