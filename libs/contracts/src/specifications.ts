import { Type } from 'class-transformer';
import {
  ArrayMaxSize, ArrayMinSize, Equals, IsArray, IsBoolean, IsDefined, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min, ValidateNested,
} from 'class-validator';

/** Source `files`: paths of the host and what to leave out. */
export class FilesSource {
  @Equals('files') type: 'files';
  /** Absolute paths. */
  @IsArray() @ArrayMinSize(1) @ArrayMaxSize(1000) @IsString({ each: true }) @Matches(/^\//, { each: true }) paths: string[];
  /** gitignore patterns, relative to each path. */
  @IsOptional() @IsArray() @ArrayMaxSize(10_000) @IsString({ each: true }) excludes?: string[];
  /** Do not cross into other file systems. Default false. */
  @IsOptional() @IsBoolean() oneFileSystem?: boolean;
  /** Leave out directories that hold a valid `CACHEDIR.TAG`. Default true. */
  @IsOptional() @IsBoolean() excludeCaches?: boolean;
  /** Which facts besides the size tell that a file changed. Default all; leave out `inode` and `ctime` on network file systems. */
  @IsOptional() @IsArray() @IsIn(['mtime', 'ctime', 'inode'], { each: true }) changeDetection?: ('mtime' | 'ctime' | 'inode')[];
  /** Files read at the same time; 1 for a spinning disk. Default: the number of workers. */
  @IsOptional() @IsInt() @Min(1) @Max(64) readers?: number;
}

/** Where a repository is, as the agent needs to know it: objects are reached through grants only. */
export class RepositoryPointer {
  /** 32 hex digits, or absent when this attempt creates the repository. */
  @IsOptional() @Matches(/^[0-9a-f]{32}$/) id?: string;
  @IsString() target: string;
  /** Prune generation at the start of the attempt: a local cache of another generation is not trusted. */
  @IsInt() @Min(0) generation: number;
  /** Chunk ids condemned by a running prune, as the name of an object of the target, when there are any. */
  @IsOptional() @IsString() condemned?: string;
  /** age recipients; come from the signed answer and from nowhere else. */
  @IsArray() @ArrayMinSize(1) @IsString({ each: true }) dataRecipients: string[];
  @IsArray() @IsString({ each: true }) catalogRecipients: string[];
}

/** What a backup attempt is to do. */
export class BackupSpecification {
  @Equals('backup') kind: 'backup';
  @IsString() task: string;
  @IsString() taskName: string;
  /** RFC 3339: the master's time of the run, which goes into the snapshot. */
  @IsString() time: string;
  @IsDefined() @ValidateNested() @Type(() => RepositoryPointer) repository: RepositoryPointer;
  /** SHA-256 (hex) of the previous admitted snapshot object. */
  @IsOptional() @Matches(/^[0-9a-f]{64}$/) previousSnapshot?: string;
  @IsDefined() @ValidateNested() @Type(() => FilesSource) source: FilesSource;
}

export const restoreModes = ['always', 'if-changed', 'if-newer', 'never'] as const;

/** What a restore attempt is to do. */
export class RestoreSpecification {
  @Equals('restore') kind: 'restore';
  @IsString() time: string;
  /** The node whose repository is read; not always the node that restores. */
  @IsString() fromNode: string;
  @IsString() target: string;
  @IsString() snapshot: string;
  /** Full name of the snapshot object. */
  @IsString() snapshotObject: string;
  /** Restore this entry and what is below it; absent for all. */
  @IsOptional() @IsString() path?: string;
  /** Absolute directory to write into; `/` with `inPlace` puts everything back where it was. */
  @Matches(/^\//) destination: string;
  /** What to do where something exists already. */
  @IsIn(restoreModes) mode: (typeof restoreModes)[number];
  /** Remove what the snapshot does not have, inside the restored directories only. */
  @IsBoolean() deleteExtraneous: boolean;
  @IsBoolean() dryRun: boolean;
  /** age ciphertext to this agent's recipient (base64): the unwrapped keys of this snapshot. */
  @IsString() sealedKeys: string;
}

export type Specification = BackupSpecification | RestoreSpecification;
