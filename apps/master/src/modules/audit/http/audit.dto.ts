import { IsISO8601, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';

/** Filters; several are combined. */
export class AuditQuery extends PageQuery {
  /** `user:<id>`, `key:<id>`, `node:<id>` or `system:<duty>`. */
  @IsOptional() @IsString() @MaxLength(100) actor?: string;
  /** Event type, for example `NodeRemoved`. */
  @IsOptional() @IsString() @MaxLength(64) type?: string;
  /** What it happened to: `node`, `task`, `run`, ... */
  @IsOptional() @IsString() @MaxLength(64) aggregate?: string;
  /** Id of what it happened to. */
  @IsOptional() @IsString() @MaxLength(64) subject?: string;
  /** RFC 3339: not before. */
  @IsOptional() @IsISO8601({ strict: true, strictSeparator: true }) since?: string;
  /** RFC 3339: before. */
  @IsOptional() @IsISO8601({ strict: true, strictSeparator: true }) until?: string;
}

/** One event of the log. */
export class AuditEntry {
  id: string;
  /** Position in the log. */
  sequence: number;
  /** RFC 3339. */
  time: string;
  actor: string;
  /** Client address. */
  from?: string;
  type: string;
  aggregate: string;
  subject: string;
  /** Revision of what it happened to. */
  revision: number;
  /** Events of one command have one. */
  command: string;
  /** The event itself. */
  data: Record<string, unknown>;
}

export class AuditPage {
  items: AuditEntry[];
  nextCursor?: string;
}
