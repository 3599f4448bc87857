import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';
import { type RunKind, runKinds } from '../domain/run.plan.ts';
import { activeStatuses, type RunStatus, terminalStatuses } from '../domain/run.state.ts';
import type { AttemptView } from '../read-models/runs/run.entity.ts';
import { ItemFaultAnswer, ProgressAnswer, StatisticsAnswer } from './run-work.dto.ts';

const statuses = ['queued', ...activeStatuses, ...terminalStatuses] as const;

export class RunQuery extends PageQuery {
  @IsOptional() @IsIn(statuses) status?: RunStatus;
  @IsOptional() @IsIn(runKinds) kind?: RunKind;
  /** Only runs of this node. */
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  /** Only runs of this task. */
  @IsOptional() @IsString() @MaxLength(64) task?: string;
  /** Only children of this parent run. */
  @IsOptional() @IsString() @MaxLength(64) parent?: string;
  /** `true`: children of parent runs are left out. */
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)) @IsBoolean() topLevel?: boolean;
}

/** The children of a parent run. */
export class ChildrenAnswer {
  /** Nodes that it is for: with `any` one. */
  total: number;
  /** Runs by status; list them with `parent`. With `any` one that was moved to another node before it began counts as cancelled. */
  byStatus: Record<string, number>;
}

/** One execution of a task, a restore, a verify or a prune. Times are RFC 3339. */
export class RunAnswer {
  id: string;
  revision: number;
  kind: RunKind;
  status: RunStatus;
  /** Absent: a parent run, whose children have nodes. */
  node?: string;
  target: string;
  task?: string;
  taskName?: string;
  /** Asked for by a schedule, by somebody, or by a duty of the masters. */
  cause: 'schedule' | 'user' | 'duty';
  requestedBy: string;
  requestedAt: string;
  scheduledFor?: string;
  /** The next attempt does not begin before. */
  notBefore?: string;
  startedAt?: string;
  finishedAt?: string;
  /** Number of the last attempt; 0: none yet. */
  attempt: number;
  /** Why it has not begun: a code and a sentence. */
  waitingCode?: string;
  waitingReason?: string;
  code?: string;
  detail?: string;
  snapshot?: string;
  statistics?: StatisticsAnswer;
  faultCount: number;
  /** Of the attempt at work, as last heard. */
  progress?: ProgressAnswer;
  /** The parent run that it is a child of. */
  parent?: string;
  /** Of a parent run: one node of those that match, or all of them. */
  place?: 'any' | 'all';
  /** Of a parent run: labels of the nodes. */
  selector?: Record<string, string>;
  /** Of a parent run. */
  children?: ChildrenAnswer;
}

/** A run with its attempts and what could not be read or written. */
export class RunDetailAnswer extends RunAnswer {
  attempts: AttemptView[];
  faults: ItemFaultAnswer[];
  /** Milliseconds by phase of the data plane. */
  phases?: Record<string, number>;
  plan: object;
  timeoutSeconds: number;
}

export class RunPage {
  items: RunAnswer[];
  nextCursor?: string;
}

export class RunLogQuery {
  /** `position` of the answer before: only lines that came later. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) after?: number;
  /** `1`: server-sent events, until the run has ended. */
  @IsOptional() @Transform(({ value }: { value: unknown }) => (value === '1' || value === 'true' ? true : value === '0' || value === 'false' ? false : value))
  @IsBoolean({ message: 'follow must be 1 or 0' }) follow?: boolean;
}

/** One line of a run's log. */
export class RunLogLineAnswer {
  attempt: number;
  /** Number inside the attempt; a gap means that lines were lost on the way. */
  n: number;
  /** RFC 3339, the agent's own clock. */
  time: string;
  level: 'debug' | 'info' | 'warn' | 'error';
  text: string;
}

export class RunLogAnswer {
  lines: RunLogLineAnswer[];
  /** Lines that the agent left out, as there were too many. */
  dropped: number;
  /** For the next question. */
  position: number;
  /** There is more: ask again at once. */
  more: boolean;
}

/** Data of the event `lines` of a log that is followed. */
export class RunLogLinesEvent {
  lines: RunLogLineAnswer[];
  dropped: number;
}

/** Data of the event `end`, the last one of a log that is followed. */
export class RunLogEndEvent {
  /** Of the run. */
  status: string;
}
