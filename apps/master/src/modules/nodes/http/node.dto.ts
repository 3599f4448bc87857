import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { Transform } from 'class-transformer';
import { PageQuery } from '../../../platform/index.ts';
import type { Labels } from '../domain/node.events.ts';

/** A host to protect. */
export class AddNodeRequest {
  /** Unique among nodes, whatever the case. */
  @IsString() @Length(1, 64) @Matches(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, { message: 'name must begin with a letter or digit and hold only letters, digits, space, dot, dash and underscore' })
  name: string;

  /** Free words by which tasks choose nodes. */
  @IsOptional() @IsObject() labels?: Labels;

  /** Runs it may work on at once. Default 1. */
  @IsOptional() @IsInt() @Min(1) @Max(64) slots?: number;
}

/** What is to be changed; what is absent stays. */
export class ChangeNodeRequest {
  @IsOptional() @IsString() @Length(1, 64) @Matches(/^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u, { message: 'name must begin with a letter or digit and hold only letters, digits, space, dot, dash and underscore' })
  name?: string;

  @IsOptional() @IsObject() labels?: Labels;

  @IsOptional() @IsInt() @Min(1) @Max(64) slots?: number;
}

export class DrainRequest {
  /** Shown beside the node. */
  @IsOptional() @IsString() @MaxLength(500) reason?: string;
}

export class DisableRequest {
  /** Shown beside the node. */
  @IsOptional() @IsString() @MaxLength(500) reason?: string;
}

export class NodeQuery extends PageQuery {
  /** Only nodes whose name holds this. */
  @IsOptional() @IsString() @MaxLength(64) name?: string;
  /** Only nodes with this label, as `key=value`. */
  @IsOptional() @IsString() @Matches(/^[^=]{1,64}=.{0,128}$/, { message: 'label must be key=value' }) label?: string;
  @IsOptional() @IsIn(['online', 'suspect', 'offline', 'never']) presence?: 'online' | 'suspect' | 'offline' | 'never';
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)) @IsBoolean() drained?: boolean;
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)) @IsBoolean() disabled?: boolean;
}

/** What its agent said of the host lately, or when it enrolled. */
export class HostAnswer {
  hostname: string;
  platform: string;
  arch: string;
  agentVersion?: string;
  /** Name and version of the operating system. */
  os?: string;
  kernel?: string;
  cpus?: number;
  /** Bytes. */
  memory?: number;
  /** How the agent runs: `systemd`, `docker`, `foreground`, or `unbuilt` without a file of its own. */
  installMode?: string;
}

/** The last order to upgrade the agent. */
export class NodeUpgradeAnswer {
  id: string;
  status: 'ordered' | 'done' | 'failed';
  version: string;
  /** Version when it was ordered. */
  from?: string;
  /** How far an order is, as the agent says; absent before it has heard of it. `waiting`: for a restore to end. */
  stage?: 'fetching' | 'waiting' | 'trying' | 'confirmed' | 'failed';
  /** RFC 3339. */
  orderedAt: string;
  endedAt?: string;
  code?: string;
  detail?: string;
}

/** Something about a node that somebody should look at. */
export class NodeAlarm {
  /** `agent-too-old`, `agent-too-new`, `clock-skewed`, `node-duplicated` or `upgrade-failed`. */
  code: string;
  detail: string;
}

/** Of the last heartbeat. */
export class HeartbeatAnswer {
  hostname: string;
  /** Milliseconds by which the node's clock is ahead of the bus. */
  skewMs: number;
  ip: string;
  mac: string;
  /** One-minute load average. */
  load: number;
  /** Bytes. */
  memoryFree?: number;
  memoryTotal?: number;
  /** Of all processors together, since the heartbeat before. */
  cpuPercent?: number;
  /** Bytes of the file system of the agent's state directory. */
  diskFree?: number;
  diskTotal?: number;
  running: number;
}

export class NodeAnswer {
  id: string;
  revision: number;
  name: string;
  labels: Labels;
  slots: number;
  drained: boolean;
  drainReason?: string;
  /** Out of service. */
  disabled: boolean;
  disabledReason?: string;
  /** RFC 3339. */
  addedAt: string;
  enrolledAt?: string;
  host?: HostAnswer;
  /** `never`: no agent has connected yet. */
  presence: 'online' | 'suspect' | 'offline' | 'never';
  presenceSince?: string;
  presenceReason?: string;
  /** Hostname of a second agent that speaks as this node: a cloned machine or a stolen credential. */
  duplicateHostname?: string;
  /** Of the agent. */
  version?: string;
  /** RFC 3339: when its last heartbeat arrived on the bus. */
  lastSeenAt?: string;
  heartbeat?: HeartbeatAnswer;
  upgrade?: NodeUpgradeAnswer;
  /** Empty when all is well. */
  alarms: NodeAlarm[];
}

export class NodePage {
  items: NodeAnswer[];
  nextCursor?: string;
}

export class NodeIdAnswer {
  id: string;
}
