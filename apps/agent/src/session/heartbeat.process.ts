import { type Heartbeat, heartbeatSeconds, protocolVersion } from '#contracts';
import { type Clock, rfc3339 } from '#kernel';
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

/** Says every 15 s that the node lives, until `signal` is aborted. */
export const runHeartbeat = async (deps: HeartbeatDependencies, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    deps.telemetry.heartbeat(heartbeatOf(deps));
    await deps.clock.sleep(heartbeatSeconds * 1000, signal).catch(() => undefined);
  }
};
