import { describe, expect, it } from 'vitest';
import type { Heartbeat } from '#contracts';
import { FakeClock } from '#kernel';
import { waitUntil } from '#testing';
import { HeartbeatProcess } from './heartbeat.process.ts';

describe('heartbeats', () => {
  it('come every 15 seconds, and as often as the masters want from the moment they say so', async () => {
    const beats: Heartbeat[] = [];
    const clock = new FakeClock();
    const ending = new AbortController();
    const process = new HeartbeatProcess({
      clock, telemetry: { heartbeat: (beat) => void beats.push(beat), progress: () => undefined, log: () => undefined },
      facts: () => ({ hostname: 'h', ip: '', mac: '', load: 0, memoryFree: 1, memoryTotal: 2, cpuPercent: 3, disk: { free: 4, total: 5 } }),
      node: 'node_1', instance: 'inst_1', process: 'proc_1', version: '0.1.0', master: () => 'nats://m', slots: () => ({ capacity: 1, running: 0 }),
    });
    const running = process.run(ending.signal);
    const after = async (ms: number, count: number) => {
      await waitUntil(() => clock.sleeping > 0);
      await clock.advance(ms);
      await waitUntil(() => beats.length === count);
    };
    await waitUntil(() => beats.length === 1);
    await after(15_000, 2);
    process.every(2);
    await waitUntil(() => beats.length === 3);
    await after(2_000, 4);
    expect(beats[0]).toMatchObject({ memory_free: 1, memory_total: 2, cpu_percent: 3, disk_free: 4, disk_total: 5 });
    ending.abort();
    await running;
  });
});
