import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsDefined, IsIn, IsInt, IsObject, IsOptional, IsString, Length, Matches, Max, MaxLength, Min, ValidateNested,
} from 'class-validator';
import { MayBeNull, PageQuery } from '../../../platform/index.ts';
import { type OfflineRule, type PlacementMode, offlineRules, placementModes } from '../domain/task.placement.ts';
import { FilesSourceDto } from './files-source.dto.ts';

/** When a task starts by itself. */
export class ScheduleDto {
  /** Five fields (minute, hour, day, month, weekday), or six with seconds first. */
  @IsString() @Length(1, 200) cron: string;
  /** IANA name. Default UTC. */
  @IsOptional() @IsString() @Length(1, 64) timeZone?: string;
  /** When no master was there at the time: run once as soon as one is (default), or skip. */
  @IsOptional() @IsIn(['run-once', 'skip']) misfire?: 'run-once' | 'skip';
}

/** What to keep; a snapshot is kept when any rule keeps it. With no rule everything is kept. */
export class RetentionDto {
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepLast?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepHourly?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepDaily?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepWeekly?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepMonthly?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepYearly?: number;
  @IsOptional() @IsInt() @Min(1) @Max(100_000) keepWithinDays?: number;
}

/** How often a failed run is tried again by itself. */
export class RetriesDto {
  @IsInt() @Min(0) @Max(10) max: number;
  /** Seconds before the next attempt. Default 60. */
  @IsOptional() @IsInt() @Min(0) @Max(86_400) delaySeconds?: number;
}

/** What may be said of a task, new or changed. */
class TaskFields {
  /** The nodes it covers, each with a run of its own. */
  @IsOptional() @IsArray() @ArrayMinSize(1) @ArrayMaxSize(1000) @Matches(/^node_[0-9a-z]{20}$/, { each: true, message: 'nodes must be ids of nodes, such as the list of nodes has' }) nodes?: string[];
  /** Short for `nodes` with one. */
  @IsOptional() @Matches(/^node_[0-9a-z]{20}$/, { message: 'node must be the id of a node, such as the list of nodes has' }) node?: string;
  /** Instead of `nodes`: the labels that a node must have, all of them. The nodes are chosen anew at every start. */
  @IsOptional() @IsObject() selector?: Record<string, string>;
  /** With `selector`: on `any` one of the nodes, the least loaded by slots (default), or on `all`, a run each under one parent run. */
  @IsOptional() @IsIn(placementModes) place?: PlacementMode;
  /** What becomes of a run whose node is offline or drained when it is to begin: it waits (default), is skipped, or fails. */
  @IsOptional() @IsIn(offlineRules) offline?: OfflineRule;
  /** With `offline: wait`: then it fails (`wait-over`). Default with `selector`: a day; otherwise it waits as long as it takes. */
  @IsOptional() @IsInt() @Min(1) @Max(2_592_000) waitSeconds?: number;
  /** Absent: it starts by hand only. `null` in a change takes the schedule away. */
  @IsOptional() @MayBeNull() @ValidateNested() @Type(() => ScheduleDto) schedule?: ScheduleDto | null;
  /** What a scheduled start does while the task still runs on the same node: `skip` it (default), or `queue` behind. */
  @IsOptional() @IsIn(['skip', 'queue']) overlap?: 'skip' | 'queue';
  @IsOptional() @ValidateNested() @Type(() => RetentionDto) retention?: RetentionDto;
  /** Of one attempt. Default 24 hours. */
  @IsOptional() @IsInt() @Min(60) @Max(2_592_000) timeoutSeconds?: number;
  /** Default: twice, a minute apart. */
  @IsOptional() @ValidateNested() @Type(() => RetriesDto) retries?: RetriesDto;
}

export class DefineTaskRequest extends TaskFields {
  /** Unique among tasks, whatever the case. */
  @IsString() @Length(1, 200) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name: string;
  @Matches(/^target_[0-9a-z]{20}$/, { message: 'target must be the id of a target, such as the list of targets has' }) target: string;
  @IsDefined() @ValidateNested() @Type(() => FilesSourceDto) source: FilesSourceDto;
}

/** What is to be changed; what is absent stays. */
export class ChangeTaskRequest extends TaskFields {
  @IsOptional() @IsString() @Length(1, 200) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name?: string;
  @IsOptional() @Matches(/^target_[0-9a-z]{20}$/, { message: 'target must be the id of a target, such as the list of targets has' }) target?: string;
  @IsOptional() @ValidateNested() @Type(() => FilesSourceDto) source?: FilesSourceDto;
}

export class RunTaskRequest {
  /** Only on these of the nodes that it names. Default: all. */
  @IsOptional() @IsArray() @ArrayMinSize(1) @ArrayMaxSize(1000) @IsString({ each: true }) nodes?: string[];
}

export class PreviewTaskRequest {
  /** Instants of the schedule to show. Default 5. */
  @IsOptional() @IsInt() @Min(1) @Max(100) instants?: number;
}

export class TaskQuery extends PageQuery {
  /** Only tasks whose name holds this. */
  @IsOptional() @IsString() @MaxLength(200) name?: string;
  /** Only tasks that name this node. */
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  @IsOptional() @IsString() @MaxLength(64) target?: string;
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)) @IsBoolean() paused?: boolean;
}

export class TaskIdAnswer {
  id: string;
}

/** What to back up, from where, when, to which target, and how long to keep it. */
export class TaskAnswer {
  id: string;
  revision: number;
  name: string;
  status: 'active' | 'paused';
  /** The first of `nodes`. */
  node?: string;
  /** Those that it names; none where it chooses by labels. */
  nodes: string[];
  /** Labels of the nodes that it chooses. */
  selector?: Record<string, string>;
  /** With `selector`: one of the nodes, or all. */
  place?: PlacementMode;
  /** What becomes of a run whose node is away when it is to begin. */
  offline: OfflineRule;
  /** Bound of the wait. */
  waitSeconds?: number;
  target: string;
  source: FilesSourceDto;
  schedule?: ScheduleDto;
  /** RFC 3339: the next start by itself. */
  nextStart?: string;
  overlap: 'skip' | 'queue';
  retention: RetentionDto;
  timeoutSeconds: number;
  retries: RetriesDto;
  createdAt: string;
  changedAt: string;
}

export class TaskPage {
  items: TaskAnswer[];
  nextCursor?: string;
}

/** What a start made: a run for each node that the task names; or one parent run, whose children follow. */
export class StartedAnswer {
  /** The first of `runs`, or the parent. */
  id: string;
  runs: string[];
}

export class PreviewAnswer {
  /** RFC 3339: the next starts. */
  instants: string[];
  /** Snapshots that the retention rules no longer keep, oldest first. */
  expiring: { snapshot: string; node: string; time: string }[];
}
