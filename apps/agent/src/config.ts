import { IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { type InstallMode, installModes } from '#contracts';
import { LogConfig, Section, Setting, type Variables, asBoolean, asInteger, asList, readConfig } from '#config';
import type { Allowed } from './host/host-look.ts';

/** The way into the network, for the agent and the processes that move its data. */
export class NetworkConfig {
  /** URL of a proxy for everything; a log-in may stand in it. */
  @Setting('HOLDFAST_AGENT_PROXY') @IsOptional() @IsString()
  proxy?: string;

  /** Hosts and domains (`.example.com`) that are reached without it, divided by commas. */
  @Setting('HOLDFAST_AGENT_NO_PROXY', { parse: asList }) @IsArray() @IsString({ each: true })
  direct: readonly string[] = [];

  /** For tests: lets `--insecure-tls` work for a master that is not on this host. */
  @Setting('HOLDFAST_TEST_INSECURE_TLS', { parse: asBoolean }) @IsBoolean()
  mayBeInsecure: boolean = false;
}

/** Seconds of a trial when nothing is set. */
export const defaultTrialSeconds = 120;

/** Everything that is set for an agent by the environment; who it is and whom it serves comes from its enrolment. */
export class AgentConfig {
  /** Folder of the agent's identity, journal and caches. */
  @Setting('HOLDFAST_STATE_DIR') @IsString()
  stateDir: string = '/var/lib/holdfast-agent';

  /** Runs worked on at once; absent: as many as the master says. */
  @Setting('HOLDFAST_AGENT_SLOTS', { parse: asInteger }) @IsOptional() @IsInt() @Min(1) @Max(64)
  slots?: number;

  /** MiB of JavaScript heap of the process that moves a run's data; the engine bounds its buffers by itself. */
  @Setting('HOLDFAST_AGENT_HEAP_MB', { parse: asInteger }) @IsInt() @Min(64) @Max(16_384)
  heapMb: number = 256;

  /** How it was installed; the install script says so. Absent: one file that somebody started, or no file of its own. */
  @Setting('HOLDFAST_INSTALL_MODE') @IsOptional() @IsIn(installModes)
  installMode?: InstallMode;

  /** Seconds that a new version has to come online before the old one is put back. */
  @Setting('HOLDFAST_AGENT_TRIAL_SECONDS', { parse: asInteger }) @IsInt() @Min(5) @Max(3600)
  trialSeconds: number = defaultTrialSeconds;

  /** Directories whose names masters may see, with everything below: `all`, `none`, or a list. What is backed up does not follow from it. */
  @Setting('HOLDFAST_AGENT_BROWSE', { parse: asList })
  @Matches(/^(all|none|\/[^\0]*)$/, { each: true, message: 'must be all, none, or directories from / divided by commas' })
  browse: readonly string[] = ['all'];

  @Section(NetworkConfig) network: NetworkConfig;

  @Section(LogConfig) log: LogConfig;
}

/** What the setting means: `none` beside anything else wins. */
export const allowedOf = (browse: readonly string[]): Allowed => {
  if (browse.includes('none')) return [];
  return browse.includes('all') ? 'all' : browse;
};

/** Reads the settings; throws one error that lists every fault. */
export const readAgentConfig = (variables: Variables): Readonly<AgentConfig> => readConfig(AgentConfig, variables, ['HOLDFAST_ENROL_TOKEN']);

/** What enrolment takes from the environment, so that the token need not stand among the arguments, which every user can read. */
export class EnrolConfig {
  @Setting('HOLDFAST_ENROL_TOKEN') @IsOptional() @IsString()
  token?: string;

  @Setting('HOLDFAST_STATE_DIR') @IsString()
  stateDir: string = '/var/lib/holdfast-agent';

  @Setting('HOLDFAST_INSTALL_MODE') @IsOptional() @IsIn(installModes)
  installMode?: InstallMode;

  @Section(NetworkConfig) network: NetworkConfig;
}

/** Reads them. */
export const readEnrolConfig = (variables: Variables): Readonly<EnrolConfig> =>
  readConfig(EnrolConfig, variables, ['HOLDFAST_AGENT_SLOTS', 'HOLDFAST_AGENT_HEAP_MB', 'HOLDFAST_AGENT_TRIAL_SECONDS', 'HOLDFAST_AGENT_BROWSE', 'HOLDFAST_LOG_LEVEL']);
