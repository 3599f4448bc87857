import { describe, expect, it } from 'vitest';
import { type NodeView, nodeText, presenceText } from './node-text.ts';
import { labelsAfter } from './labels.ts';

const node: NodeView = {
  id: 'node_1', revision: 1, name: 'db1', labels: { site: 'vienna' }, slots: 1, drained: true, drainReason: 'new disk', disabled: false, presence: 'online',
  addedAt: '2026-01-01T00:00:00.000Z', alarms: [{ code: 'clock-skewed', detail: 'The clock is off' }],
  heartbeat: { ip: '10.0.0.1', mac: '', load: 1, skewMs: -5, running: 0, cpuPercent: 12, memoryFree: 1024, memoryTotal: 4096, diskFree: 1024 },
};

describe('labels on the command line', () => {
  it('are set with key=value and taken away with key-', () => {
    expect(labelsAfter({ a: '1', b: '2' }, ['c=x=y', 'a-', 'b='])).toEqual({ b: '', c: 'x=y' });
  });
  it.each(['a', '=x', '-'])('%s is none', (word) => {
    expect(() => labelsAfter({}, [word])).toThrow(/label-invalid|no label/);
  });
});

describe('a node in words', () => {
  it('says first what somebody should look at, and why no work begins', () => {
    const [first, ...rest] = nodeText(node).split('\n');
    expect(first).toMatch(/^ALARM +clock-skewed: The clock is off/);
    expect(rest.join('\n')).toMatch(/drained +yes \(new disk\)[\s\S]*memory +1\.00 KiB free of 4\.00 KiB[\s\S]*disk +1\.00 KiB free\n[\s\S]*clock +5 ms behind/);
    expect(presenceText(node)).toBe('online, drained, clock-skewed');
  });
});
