import { Inject, Injectable } from '@nestjs/common';
import type { Refusal } from '#kernel';
import { CONFIG, type MasterConfig } from '../../platform/index.ts';
import type { HeartbeatRow, PresenceRow } from '../presence/index.ts';
import type { UpgradeRow } from '../upgrades/index.ts';
import { AgentVersions } from './agent-versions.ts';
import type { NodeAlarm } from './http/node.dto.ts';

/** What alarms are judged by. */
interface AlarmFacts {
  readonly disabled: boolean;
  readonly presence: PresenceRow | undefined;
  readonly heartbeat: HeartbeatRow | undefined;
  readonly upgrade: UpgradeRow | undefined;
  readonly gate: Refusal | undefined;
  /** Milliseconds by which a clock may differ. */
  readonly skewMs: number;
}

const seconds = (ms: number): string => (Math.abs(ms) < 120_000 ? `${Math.round(Math.abs(ms) / 1000)} s` : `${Math.round(Math.abs(ms) / 60_000)} min`);

const skewAlarm = ({ heartbeat, skewMs, presence }: AlarmFacts): NodeAlarm[] => {
  if (!heartbeat || presence?.status === 'offline' || Math.abs(heartbeat.skewMs) <= skewMs) return [];
  const way = heartbeat.skewMs > 0 ? 'ahead of' : 'behind';
  return [{ code: 'clock-skewed', detail: `The node's clock is ${seconds(heartbeat.skewMs)} ${way} the bus; it goes on working, set its clock with NTP` }];
};

const alarmsOf = (facts: AlarmFacts): NodeAlarm[] => {
  const { disabled, presence, upgrade, gate } = facts;
  if (disabled) return [];
  return [
    ...(gate ? [{ code: gate.code, detail: gate.detail }] : []),
    ...skewAlarm(facts),
    ...(presence?.duplicateHostname ? [{ code: 'node-duplicated', detail: `A second agent, on ${presence.duplicateHostname}, speaks as this node: a cloned machine or a stolen credential` }] : []),
    ...(upgrade?.status === 'failed' ? [{ code: 'upgrade-failed', detail: `The upgrade to ${upgrade.version} failed (${upgrade.code}): ${upgrade.detail}` }] : []),
  ];
};

/** Judges what somebody should look at. A node out of service has no alarms. */
@Injectable()
export class NodeAlarms {
  constructor(private readonly versions: AgentVersions, @Inject(CONFIG) private readonly config: Pick<MasterConfig, 'agents'>) {}

  /** Empty when all is well. */
  of(facts: Omit<AlarmFacts, 'gate' | 'skewMs'>): NodeAlarm[] {
    return alarmsOf({ ...facts, gate: this.versions.gate(facts.presence?.version), skewMs: this.config.agents.clockSkew * 1000 });
  }
}
