import { Type } from 'class-transformer';
import {
  ArrayMaxSize, IsArray, IsBoolean, IsDefined, IsIn, IsInt, IsObject, IsOptional, IsString, Matches, Max, MaxLength, Min, ValidateNested,
} from 'class-validator';

/** Something that could not be read or written; paths are shown with `\xNN` for bytes that are not UTF-8. */
export class ItemFault {
  @IsString() @MaxLength(8192) path: string;
  @IsString() @MaxLength(64) code: string;
  @IsString() @MaxLength(1024) detail: string;
}

/** What a data plane counted; bytes and entries. */
export class RunStatistics {
  @IsInt() @Min(0) files: number;
  @IsInt() @Min(0) directories: number;
  /** Symlinks, devices, fifos and sockets. */
  @IsInt() @Min(0) others: number;
  /** Logical bytes of all files. */
  @IsInt() @Min(0) bytes: number;
  /** Files whose content had to be read. */
  @IsInt() @Min(0) filesRead: number;
  @IsInt() @Min(0) bytesRead: number;
  /** Bytes of new chunks before compression. */
  @IsInt() @Min(0) addedBytes: number;
  /** Bytes written to the target. */
  @IsInt() @Min(0) storedBytes: number;
}

/** An object as it lies in the target. */
export class StoredObject {
  @IsString() @MaxLength(256) name: string;
  @IsInt() @Min(0) size: number;
}

/** A key wrapped with age, as it lies in the target and also travels in the run's event. */
export class WrappedKey {
  /** 32 hex digits. */
  @Matches(/^[0-9a-f]{32}$/) keyId: string;
  @IsIn(['id', 'data', 'catalog']) class: 'id' | 'data' | 'catalog';
  /** base64 of the age file. */
  @IsString() @MaxLength(16_384) file: string;
}

/** The snapshot that an agent proposes. It is a fact only after admission. */
export class SnapshotProposal {
  /** `snap_...` as named by the claim's answer. */
  @IsString() id: string;
  @IsDefined() @ValidateNested() @Type(() => StoredObject) object: StoredObject;
  /** 32 hex digits. */
  @Matches(/^[0-9a-f]{32}$/) repositoryId: string;
  @Matches(/^[0-9a-f]{32}$/) idKeyId: string;
  @IsArray() @ArrayMaxSize(8) @ValidateNested({ each: true }) @Type(() => WrappedKey) keys: WrappedKey[];
  /** Packs this attempt wrote. */
  @IsArray() @ArrayMaxSize(100_000) @ValidateNested({ each: true }) @Type(() => StoredObject) packs: StoredObject[];
  /** Packs of interrupted attempts of this task, whose chunks this snapshot may use. */
  @IsOptional() @IsArray() @ArrayMaxSize(100_000) @ValidateNested({ each: true }) @Type(() => StoredObject) adoptedPacks?: StoredObject[];
}

export const reportOutcomes = ['succeeded', 'partial', 'failed', 'timed-out', 'skipped', 'cancelled'] as const;
export type ReportOutcome = (typeof reportOutcomes)[number];

/** What the agent says happened to an attempt: one a claim, published through the outbox with one message id for ever. */
export class RunReport {
  @IsInt() @Min(1) @Max(1) protocol: number;
  @IsInt() @Min(1) attempt: number;
  @IsString() @MaxLength(64) claim: string;
  @IsIn(reportOutcomes) outcome: ReportOutcome;
  /** For every outcome but `succeeded`: a stable code and a sentence. */
  @IsOptional() @IsString() @MaxLength(64) code?: string;
  @IsOptional() @IsString() @MaxLength(4096) detail?: string;
  @IsOptional() @ValidateNested() @Type(() => SnapshotProposal) proposal?: SnapshotProposal;
  @IsOptional() @ValidateNested() @Type(() => RunStatistics) statistics?: RunStatistics;
  @IsArray() @ArrayMaxSize(1000) @ValidateNested({ each: true }) @Type(() => ItemFault) faults: ItemFault[];
  /** All of them, also those beyond the 1,000 that are listed. */
  @IsInt() @Min(0) faultCount: number;
  /** Data-plane times in milliseconds, by phase. */
  @IsOptional() @IsObject() phases?: Record<string, number>;
}

/** `Nats-Msg-Id` of the report of an attempt. */
export const reportMessageId = (run: string, attempt: number, claim: string): string => `${run}.${attempt}.${claim}.report`;

/** Counted progress of a running attempt; core NATS, overwritten, may be lost. */
export class Progress {
  @IsInt() attempt: number;
  @IsString() @MaxLength(32) phase: string;
  @IsInt() @Min(0) files: number;
  @IsInt() @Min(0) bytes: number;
  /** Absent while nothing is known of them. */
  @IsOptional() @IsInt() @Min(0) totalFiles?: number;
  @IsOptional() @IsInt() @Min(0) totalBytes?: number;
  /** True when the totals are an expectation: what the last snapshot of the same task held, or what a snapshot says of itself. */
  @IsOptional() @IsBoolean() estimated?: boolean;
  @IsInt() @Min(0) storedBytes: number;
  @IsInt() @Min(0) faults: number;
  @IsOptional() @IsString() @MaxLength(8192) current?: string;
  /** Milliseconds since the attempt began, on the agent's monotonic clock. */
  @IsInt() @Min(0) elapsedMs: number;
  /** Milliseconds that the rest takes when it goes on as it went so far: a guess. Absent while nothing can be said. */
  @IsOptional() @IsInt() @Min(0) remainingMs?: number;
}
