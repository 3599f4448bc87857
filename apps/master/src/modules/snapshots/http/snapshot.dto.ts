import { Transform } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Matches, Max, MaxLength, Min } from 'class-validator';
import { restoreModes } from '#contracts';
import { PageQuery } from '../../../platform/index.ts';

const asBoolean = ({ value }: { value: unknown }): unknown => (value === 'true' ? true : value === 'false' ? false : value);

export class SnapshotQuery extends PageQuery {
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  @IsOptional() @IsString() @MaxLength(64) task?: string;
  @IsOptional() @IsString() @MaxLength(64) target?: string;
  /** Also those that have been forgotten. Default false. */
  @IsOptional() @Transform(asBoolean) @IsBoolean() forgotten?: boolean;
}

export class EntriesQuery {
  /** Directory whose entries are wanted, from `/`. Default `/`. */
  @IsOptional() @IsString() @MaxLength(8192) path?: string;
  @IsOptional() @Transform(({ value }: { value: unknown }) => Number(value)) @IsInt() @Min(1) @Max(1000) limit?: number;
  @IsOptional() @IsString() @MaxLength(16_384) cursor?: string;
}

export class RestoreRequest {
  /** The node that restores. Default: the one that the snapshot is of. */
  @IsOptional() @Matches(/^node_[0-9a-z]{20}$/, { message: 'node must be the id of a node, such as the list of nodes has' }) node?: string;
  /** Absolute directory to write into; `/` puts everything back where it was. */
  @Matches(/^\//, { message: 'destination must be an absolute directory of the node' }) @MaxLength(4096) destination: string;
  /** Only this entry and what is below it, from `/`. */
  @IsOptional() @IsString() @Length(1, 8192) path?: string;
  /** What to do where something exists already. Default `if-changed`. */
  @IsOptional() @IsIn(restoreModes) mode?: (typeof restoreModes)[number];
  /** Remove what the snapshot does not have, inside the restored directories. Default false. */
  @IsOptional() @IsBoolean() deleteExtraneous?: boolean;
  /** Say what would be done, do nothing. Default false. */
  @IsOptional() @IsBoolean() dryRun?: boolean;
  /** Seconds that the attempt may take. Default 24 hours. */
  @IsOptional() @IsInt() @Min(60) @Max(2_592_000) timeoutSeconds?: number;
}

export class VerifyRequest {
  /** 1 stored, 2 intact, 2c closed, 3 decodable. Default 2c. */
  @IsOptional() @IsIn(['1', '2', '2c', '3']) level?: '1' | '2' | '2c' | '3';
}

export class HoldRequest {
  /** Shown beside the snapshot. */
  @IsOptional() @IsString() @MaxLength(500) reason?: string;
}

/** A restorable point in time. */
export class SnapshotAnswer {
  id: string;
  /** Of what became of it: send it as `If-Match`. */
  revision: number;
  run: string;
  node: string;
  target: string;
  repository: string;
  task?: string;
  taskName?: string;
  /** RFC 3339. */
  time: string;
  partial: boolean;
  late: boolean;
  files: number;
  directories: number;
  bytes: number;
  /** Written to the target for it. */
  storedBytes: number;
  held: boolean;
  heldReason?: string;
  forgotten: boolean;
  verified?: { level: string; at: string; outcome: 'intact' | 'damaged' };
}

export class SnapshotPage {
  items: SnapshotAnswer[];
  nextCursor?: string;
}

/** One entry of a directory of a snapshot. */
export class EntryAnswer {
  /** From `/`; bytes that are not UTF-8 are shown as `\xNN`. */
  path: string;
  name: string;
  type: string;
  /** Bytes of content. */
  size: number;
  /** RFC 3339; absent, as all that follows, for a directory above what was backed up. */
  modified?: string;
  /** Permission bits in octal. */
  mode?: string;
  user?: string;
  group?: string;
  linkTarget?: string;
}

export class EntryPage {
  items: EntryAnswer[];
  nextCursor?: string;
}

/** The run that does it. */
export class RequestedRunAnswer {
  id: string;
}
