import { ArrayMaxSize, ArrayMinSize, IsArray, IsBoolean, IsObject, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import type { Labels } from '../../nodes/index.ts';

export class UpgradeRequest {
  /** Default: the master's. */
  @IsOptional() @Matches(/^(current|\d{1,4}\.\d{1,4}\.\d{1,4}(-[0-9A-Za-z.]{1,32})?)$/, { message: 'version must be one such as 0.1.0' }) version?: string;
}

/** Which nodes: exactly one of the three. */
export class UpgradeManyRequest extends UpgradeRequest {
  @IsOptional() @IsArray() @ArrayMinSize(1) @ArrayMaxSize(1000) @IsString({ each: true }) @MaxLength(64, { each: true }) nodes?: string[];
  /** Nodes that have all of these labels. */
  @IsOptional() @IsObject() labels?: Labels;
  /** Every node that has an agent. */
  @IsOptional() @IsBoolean() all?: boolean;
}

/** What became of the wish for one node. */
export class UpgradeOutcome {
  node: string;
  name: string;
  /** `current`: it is that version already. */
  outcome: 'ordered' | 'current' | 'refused';
  version?: string;
  from?: string;
  /** Why it was refused. */
  code?: string;
  detail?: string;
}

export class UpgradeOutcomes {
  items: UpgradeOutcome[];
}
