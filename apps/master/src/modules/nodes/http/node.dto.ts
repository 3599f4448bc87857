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

export class NodeQuery extends PageQuery {
  /** Only nodes whose name holds this. */
  @IsOptional() @IsString() @MaxLength(64) name?: string;
  /** Only nodes with this label, as `key=value`. */
  @IsOptional() @IsString() @Matches(/^[^=]{1,64}=.{0,128}$/, { message: 'label must be key=value' }) label?: string;
  @IsOptional() @IsIn(['online', 'suspect', 'offline', 'never']) presence?: 'online' | 'suspect' | 'offline' | 'never';
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)) @IsBoolean() drained?: boolean;
}

/** What its agent said when it enrolled. */
export class HostAnswer {
  hostname: string;
  platform: string;
  arch: string;
}

/** Of the last heartbeat. */
export class HeartbeatAnswer {
  hostname: string;
  /** Milliseconds by which the node's clock is ahead of the bus. */
  skewMs: number;
  ip: string;
  mac: string;
  load: number;
  memoryFree?: number;
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
}

export class NodePage {
  items: NodeAnswer[];
  nextCursor?: string;
}

export class NodeIdAnswer {
  id: string;
}
