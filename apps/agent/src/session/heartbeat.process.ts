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
  readonly version: string;
  /** URL of the master or of the bus it is connected to now. */
  readonly master: () => string;
  readonly slots: () => { readonly capacity: number; readonly running: number };
}

/** The heartbeat of this moment. */
export const heartbeatOf = (deps: HeartbeatDependencies): Heartbeat => {
  const { hostname, ip, mac, load, memoryFree } = deps.facts();
  const now = deps.clock.now();
  const { capacity, running } = deps.slots();
  return {
    key: deps.node, hostname, ip, mac, master: deps.master(), version: deps.version, protocol: protocolVersion, instance: deps.instance,
    update_ts: rfc3339(now), update_ts_unix: Math.floor(now / 1000), load, memory_free: memoryFree, slots: capacity, running,
  };
};

/** Says every 15 s, and at once after a reconnection, that the node lives. */
export class HeartbeatProcess {
  private readonly deps: HeartbeatDependencies;
  private readonly wakeup = new Wakeup();

  constructor(deps: HeartbeatDependencies) {
    this.deps = deps;
  }

  /** Says it now. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.deps.telemetry.heartbeat(heartbeatOf(this.deps));
      await this.wakeup.wait(this.deps.clock, heartbeatSeconds * 1000, signal).catch(() => undefined);
    }
  }
}
