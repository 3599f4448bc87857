import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, IsUrl, Length, Matches, MaxLength, ValidateNested } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';

/** Where a bucket is and who asks. */
export class S3SettingsRequest {
  /** `https://host[:port]`; absent: AWS. */
  @IsOptional() @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }) endpoint?: string;
  /** Default us-east-1. */
  @IsOptional() @IsString() @Length(1, 64) region?: string;
  @IsString() @Matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { message: 'bucket must be the name of an S3 bucket: 3 to 63 lower-case letters, digits, dots and dashes' }) bucket: string;
  /** Folder in the bucket. */
  @IsOptional() @IsString() @MaxLength(200) @Matches(/^$|^([A-Za-z0-9._-]+\/)+$/, { message: 'prefix must be folders that each end with a slash' }) prefix?: string;
  /** `https://host/bucket`; default: true when an endpoint is given. */
  @IsOptional() @IsBoolean() pathStyle?: boolean;
  @IsString() @Length(1, 200) accessKeyId: string;
  /** Kept sealed; never shown again. May be left out of a change. */
  @IsOptional() @IsString() @Length(1, 500) secretAccessKey?: string;
}

export class AddTargetRequest {
  @IsString() @Length(1, 64) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name: string;
  @IsIn(['s3', 'builtin']) kind: 's3' | 'builtin';
  /** For `s3`. */
  @IsOptional() @ValidateNested() @Type(() => S3SettingsRequest) s3?: S3SettingsRequest;
}

export class ChangeTargetRequest {
  @IsOptional() @IsString() @Length(1, 64) @Matches(/^\P{Cc}+$/u, { message: 'name must not hold control characters' }) name?: string;
  @IsOptional() @ValidateNested() @Type(() => S3SettingsRequest) s3?: S3SettingsRequest;
}

export class TargetQuery extends PageQuery {
  @IsOptional() @IsIn(['s3', 'builtin']) kind?: 's3' | 'builtin';
}

export class TargetStepAnswer {
  step: string;
  passed: boolean;
  /** What went wrong. */
  detail?: string;
}

export class TargetTestAnswer {
  /** The masters can keep repositories there. */
  passed: boolean;
  /** `direct`: agents upload straight to it; `relay`: through a master. */
  access: 'direct' | 'relay';
  steps: TargetStepAnswer[];
  /** RFC 3339. */
  testedAt?: string;
}

export class S3SettingsAnswer {
  endpoint?: string;
  region: string;
  bucket: string;
  prefix: string;
  pathStyle: boolean;
  accessKeyId: string;
}

export class TargetAnswer {
  id: string;
  revision: number;
  name: string;
  kind: 's3' | 'builtin';
  s3?: S3SettingsAnswer;
  /** RFC 3339. */
  addedAt: string;
  /** The last test of these settings. */
  test?: TargetTestAnswer;
}

export class TargetPage {
  items: TargetAnswer[];
  nextCursor?: string;
}

export class TargetIdAnswer {
  id: string;
}
