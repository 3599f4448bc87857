import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsInt, IsOptional, IsString, MaxLength, Min, ValidateNested } from 'class-validator';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** One line of a run's log. */
export class RunLogLine {
  /** 1 for the attempt's first line; a gap means that lines were lost on the way. */
  @IsInt() @Min(1) n: number;
  /** RFC 3339, the agent's own clock. */
  @IsString() @MaxLength(64) time: string;
  @IsIn(logLevels) level: (typeof logLevels)[number];
  @IsString() @MaxLength(4096) text: string;
}

/** Lines of one attempt on `hf.logs.<nodeId>.<runId>`; best effort, never acknowledged. */
export class RunLogBatch {
  @IsInt() @Min(1) attempt: number;
  @IsArray() @ArrayMaxSize(1000) @ValidateNested({ each: true }) @Type(() => RunLogLine) lines: RunLogLine[];
  /** Lines that the agent left out so far, as the attempt had too many. */
  @IsOptional() @IsInt() @Min(0) dropped?: number;
}
