import { describe, expect, it } from 'vitest';
import { RunReport, parseMessage } from '#contracts';
import { reportBytes, soundReport } from './sound-report.ts';

const report = (change: Partial<RunReport> = {}): RunReport =>
  ({ protocol: 1, attempt: 2, claim: 'c', outcome: 'partial', code: 'x', detail: 'y', faults: [], faultCount: 0, ...change });
const accepted = (made: RunReport): boolean => parseMessage(RunReport, JSON.parse(JSON.stringify(made))).ok && JSON.stringify(made).length <= reportBytes;
const packs = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `packs/00/${String(i).padStart(64, '0')}`, size: 1 }));
const proposal = (count: number): RunReport['proposal'] => ({
  id: 'snap_1', object: { name: 'snapshots/x/y', size: 1 }, repositoryId: '0'.repeat(32), idKeyId: '0'.repeat(32), keys: [], packs: packs(count),
});

describe('a report', () => {
  it('that is sound stays as it is', () => {
    const given = report({ faults: [{ path: '/a', code: 'unreadable', detail: 'no' }], faultCount: 1, proposal: proposal(3)! });
    expect(soundReport(given)).toEqual(given);
  });

  it('about absurdly long names is cut, not lost', () => {
    const made = soundReport(report({
      detail: 'd'.repeat(9_000), faults: Array.from({ length: 2_000 }, () => ({ path: '/p'.repeat(9_000), code: 'c'.repeat(99), detail: 'd'.repeat(2_000) })), faultCount: 2_000,
    }));
    expect(accepted(made)).toBe(true);
    expect(made).toMatchObject({ outcome: 'partial', faultCount: 2_000 });
    expect(made.faults.length).toBeGreaterThan(100);
  });

  it('keeps its snapshot and gives up faults when both do not fit one message', () => {
    const faults = Array.from({ length: 1_000 }, (_, i) => ({ path: `/${i}/${'p'.repeat(8_000)}`, code: 'c', detail: 'd' }));
    const made = soundReport(report({ proposal: proposal(60_000)!, faults, faultCount: 1_000 }));
    expect(accepted(made)).toBe(true);
    expect(made.proposal?.packs).toHaveLength(60_000);
    expect(made.faultCount).toBe(1_000);
  });

  it('that can never be sent is the report of a failure, under the same claim', () => {
    expect(soundReport(report({ proposal: proposal(95_000)! }))).toMatchObject({ outcome: 'failed', code: 'report-too-large', claim: 'c', attempt: 2 });
    expect(soundReport(report({ faultCount: -1 }))).toMatchObject({ outcome: 'failed', code: 'report-invalid', claim: 'c' });
  });
});
