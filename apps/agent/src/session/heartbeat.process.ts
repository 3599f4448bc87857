import { type Heartbeat, heartbeatSeconds, protocolVersion } from '#contracts';
import { type Clock, rfc3339 } from '#kernel';
import { Wakeup } from '../attempts/wakeup.ts';
import type { Telemetry } from './bus.port.ts';
import type { HostFacts } from './host-facts.ts';

export interface HeartbeatDependencies {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly facts: () => HostFacts;
  readonly node: string;
  readonly instance: string;
  /** Of this start of the agent. */
  readonly process: string;
  readonly version: string;
  /** URL of the master or of the bus it is connected to now. */
  readonly master: () => string;
  readonly slots: () => { readonly capacity: number; readonly running: number };
}

/** The heartbeat of this moment. */
export const heartbeatOf = (deps: HeartbeatDependencies): Heartbeat => {
  const { hostname, ip, mac, load, memoryFree, memoryTotal, cpuPercent, disk } = deps.facts();
  const now = deps.clock.now();
  const { capacity, running } = deps.slots();
  return {
    key: deps.node, hostname, ip, mac, master: deps.master(), version: deps.version, protocol: protocolVersion, instance: deps.instance, process: deps.process,
    update_ts: rfc3339(now), update_ts_unix: Math.floor(now / 1000), load, memory_free: memoryFree, memory_total: memoryTotal,
    ...(cpuPercent === undefined ? {} : { cpu_percent: cpuPercent }), ...(disk ? { disk_free: disk.free, disk_total: disk.total } : {}), slots: capacity, running,
  };
};

/** Says every 15 s, or as often as the masters want it, and at once after a reconnection, that the node lives. */
export class HeartbeatProcess {
  private readonly deps: HeartbeatDependencies;
  private readonly wakeup = new Wakeup();
  private everyMs = heartbeatSeconds * 1000;

  constructor(deps: HeartbeatDependencies) {
    this.deps = deps;
  }

  /** From now on as often as this; the next one comes at once when that is another interval. */
  every(seconds: number): void {
    if (seconds * 1000 === this.everyMs) return;
    this.everyMs = seconds * 1000;
    this.wake();
  }

  /** Says it now. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.deps.telemetry.heartbeat(heartbeatOf(this.deps));
      await this.wakeup.wait(this.deps.clock, this.everyMs, signal).catch(() => undefined);
    }
  }
}
