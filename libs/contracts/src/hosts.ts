import { IsIn, IsInt, IsOptional, IsString, Length, MaxLength, Min } from 'class-validator';

/** How an agent runs: what its install script made of it, or from the built or unbuilt project without a file of its own. */
export const installModes = ['systemd', 'docker', 'foreground', 'unbuilt'] as const;
export type InstallMode = (typeof installModes)[number];

/** What an agent says of its host at enrolment and at every `self`: shown, never trusted. */
export class HostReport {
  @IsString() @Length(1, 255) hostname: string;
  /** `process.platform` and `process.arch` of the agent. */
  @IsString() @MaxLength(32) platform: string;
  @IsString() @MaxLength(32) arch: string;
  @IsString() @MaxLength(64) agentVersion: string;
  /** Name and version of the operating system as its vendor writes them. */
  @IsOptional() @IsString() @MaxLength(128) os?: string;
  @IsOptional() @IsString() @MaxLength(128) kernel?: string;
  /** Processors that the agent may use. */
  @IsOptional() @IsInt() @Min(1) cpus?: number;
  /** Bytes. */
  @IsOptional() @IsInt() @Min(0) memory?: number;
  @IsOptional() @IsIn(installModes) installMode?: InstallMode;
}

/** How far an ordered upgrade is, as the agent sees it. `trying`: a new version runs and has not been confirmed yet. */
export const upgradeStages = ['fetching', 'waiting', 'trying', 'confirmed', 'failed'] as const;
export type UpgradeStage = (typeof upgradeStages)[number];

/** What became of an order to upgrade, told with every `self` until the masters have written it down. */
export class UpgradeReport {
  @IsString() @MaxLength(64) id: string;
  @IsIn(upgradeStages) stage: UpgradeStage;
  /** Of a failure. */
  @IsOptional() @IsString() @MaxLength(64) code?: string;
  @IsOptional() @IsString() @MaxLength(1024) detail?: string;
}
