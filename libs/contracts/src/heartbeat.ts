import { IsInt, IsNumber, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

/** Seconds between two heartbeats, and the silence after which a node is offline, unless masters are set otherwise. */
export const heartbeatSeconds = 15;
export const offlineAfterSeconds = 45;

/** Heartbeats that must be missing before silence means anything. */
export const leastMissed = 3;

/** What a node says of itself every 15 s; the field names are those that operators of the source systems know. */
export class Heartbeat {
  /** The node id. */
  @IsString() @MaxLength(64) key: string;
  @IsString() @MaxLength(255) hostname: string;
  @IsString() @MaxLength(64) ip: string;
  @IsString() @MaxLength(64) mac: string;
  /** URL of the master or of the bus it is connected to. */
  @IsString() @MaxLength(512) master: string;
  /** Version of the agent. */
  @IsString() @MaxLength(64) version: string;
  @IsInt() @Min(1) @Max(1000) protocol: number;
  /** Of the state directory. */
  @IsString() @MaxLength(64) instance: string;
  /** A name made anew at every start of the agent: two that speak in turns are two copies of one state directory. */
  @IsOptional() @IsString() @MaxLength(64) process?: string;
  /** RFC 3339 and seconds, the node's own clock: measures skew and nothing else. */
  @IsString() @MaxLength(64) update_ts: string;
  @IsInt() update_ts_unix: number;
  /** One-minute load average. */
  @IsNumber() load: number;
  /** Bytes of free memory. */
  @IsOptional() @IsInt() memory_free?: number;
  @IsOptional() @IsInt() @Min(0) memory_total?: number;
  /** Per cent of all processors that were busy since the heartbeat before. */
  @IsOptional() @IsNumber() @Min(0) @Max(100) cpu_percent?: number;
  /** Bytes of the file system that holds the state directory. */
  @IsOptional() @IsInt() @Min(0) disk_free?: number;
  @IsOptional() @IsInt() @Min(0) disk_total?: number;
  /** Runs it may work on at once, and works on now. */
  @IsInt() @Min(0) slots: number;
  @IsInt() @Min(0) running: number;
}
