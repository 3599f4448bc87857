import { describe, expect, it } from 'vitest';
import { type View, type Watched, judgeLiveness } from './liveness.ts';

const view: View = { now: 1_000_000, unbrokenMs: 60_000, silenceMs: 45_000, graceMs: 10_000 };
const node = (more: Partial<Watched>): Watched => ({ node: 'node_a', status: 'online', lastSeen: view.now - 10_000, ...more });
const lost = (watched: Watched, more: Partial<View> = {}) => judgeLiveness([watched], { ...view, ...more }).map(({ reason }) => reason);

describe('liveness', () => {
  it('a node that was heard of inside the window is there', () => {
    expect(lost(node({}))).toEqual([]);
    expect(lost(node({ lastSeen: view.now - 44_999 }))).toEqual([]);
  });
  it('a node that is silent for the whole window is lost', () => {
    expect(lost(node({ lastSeen: view.now - 45_000 }))).toEqual(['no heartbeat for 45 s']);
    expect(lost({ node: 'node_a', status: 'suspect' })).toEqual(['no heartbeat for 45 s']);
  });
  it('silence proves nothing to a master that was cut off or paused less than a window ago', () => {
    expect(lost(node({ lastSeen: 0 }), { unbrokenMs: 44_999 })).toEqual([]);
  });
  it('a node whose connection ended is lost after the grace, unless it was heard of since', () => {
    const disconnectedAt = view.now - 10_000;
    expect(lost(node({ lastSeen: disconnectedAt - 1, disconnectedAt }))).toEqual(['its connection ended']);
    expect(lost(node({ lastSeen: disconnectedAt - 1, disconnectedAt: disconnectedAt + 1 }))).toEqual([]);
    expect(lost(node({ lastSeen: disconnectedAt + 1, disconnectedAt }))).toEqual([]);
  });
  it('a node that is offline already is not lost again', () => {
    expect(lost(node({ status: 'offline', lastSeen: 0 }))).toEqual([]);
  });
});
