import { IsBoolean, IsIn, IsInt, IsOptional, IsString, IsUrl, Length, Matches, Max, Min, ValidateBy, type ValidationArguments } from 'class-validator';
import { IsSecret, LogConfig, NatsConfig, PostgresConfig, Section, Setting, asBoolean, asInteger, asList } from '#config';
import { heartbeatSeconds, leastMissed, offlineAfterSeconds } from '#contracts';

/** Where the master serves REST, the console and the relay. */
export class HttpConfig {
  /** Address to listen on. Loopback unless a proxy with TLS stands in front. */
  @Setting('HOLDFAST_HTTP_HOST') @IsString()
  host: string = '127.0.0.1';

  @Setting('HOLDFAST_HTTP_PORT', { parse: asInteger }) @IsInt() @Min(0) @Max(65_535)
  port: number = 8700;

  /** How browsers and agents reach this installation; grants and enrolment links begin with it. Absent: `http://<host>:<port>`. */
  @Setting('HOLDFAST_PUBLIC_URL', { aliases: ['FRONTEND_BASE_URL'] })
  @IsOptional() @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }, { message: 'must be a URL such as https://backup.example.com' })
  publicUrl?: string;

  /** Number of proxies in front whose `X-Forwarded-For` is believed. */
  @Setting('HOLDFAST_TRUSTED_PROXIES', { parse: asInteger }) @IsInt() @Min(0) @Max(8)
  trustedProxies: number = 0;
}

/** The account that a new installation starts with. */
export class FirstAdminConfig {
  @Setting('HOLDFAST_FIRST_ADMIN_NAME') @IsString() @Length(1, 64)
  name: string = 'admin';

  /** Read once, when there is no first admin yet. Absent: nobody can log in until it is set. */
  @Setting('HOLDFAST_FIRST_ADMIN_PASSWORD') @IsOptional() @Length(12, 256, { message: 'must have 12 to 256 characters' })
  password?: string;
}

/** Silence proves nothing before several heartbeats are missing. */
const IsSeveralHeartbeats = (): PropertyDecorator => ValidateBy({
  name: 'isSeveralHeartbeats',
  validator: {
    validate: (value: unknown, { object }: ValidationArguments = {} as ValidationArguments) => typeof value === 'number' && value >= leastMissed * (object as AgentsConfig).heartbeat,
    defaultMessage: () => `must be at least ${leastMissed} times HOLDFAST_HEARTBEAT_SECONDS`,
  },
});

/** What masters expect of agents. */
export class AgentsConfig {
  /** Seconds between two heartbeats; agents are told. */
  @Setting('HOLDFAST_HEARTBEAT_SECONDS', { parse: asInteger }) @IsInt() @Min(1) @Max(300)
  heartbeat: number = heartbeatSeconds;

  /** Seconds of silence after which a node is offline: at least three heartbeats. */
  @Setting('HOLDFAST_OFFLINE_AFTER_SECONDS', { parse: asInteger }) @IsInt() @Max(3600) @IsSeveralHeartbeats()
  offlineAfter: number = offlineAfterSeconds;

  /** Seconds by which a node's clock may differ before that is an alarm. */
  @Setting('HOLDFAST_CLOCK_SKEW_SECONDS', { parse: asInteger }) @IsInt() @Min(1) @Max(86_400)
  clockSkew: number = 60;

  /** Oldest version of agents that get work. Absent: the oldest that this master can speak with. */
  @Setting('HOLDFAST_AGENT_VERSION_MIN') @IsOptional() @Matches(/^\d{1,4}(\.\d{1,4}){2}(-[0-9A-Za-z.]{1,32})?$/, { message: 'must be a version such as 0.1.0' })
  versionMin?: string;

  /** Newest version of agents that get work; `0.2` means every 0.2.x. Absent: every version with the master's first two numbers. */
  @Setting('HOLDFAST_AGENT_VERSION_MAX') @IsOptional() @Matches(/^\d{1,4}\.\d{1,4}(\.\d{1,4}(-[0-9A-Za-z.]{1,32})?)?$/, { message: 'must be a version such as 0.2.1, or 0.2 for every 0.2.x' })
  versionMax?: string;
}

/** All settings of a master. Every secret may be given as a file with `_FILE`. */
export class MasterConfig {
  @Section(NatsConfig) nats: NatsConfig;
  @Section(PostgresConfig) postgres: PostgresConfig;
  @Section(LogConfig) log: LogConfig;
  @Section(HttpConfig) http: HttpConfig;
  @Section(FirstAdminConfig) firstAdmin: FirstAdminConfig;
  @Section(AgentsConfig) agents: AgentsConfig;

  /** The role of this process, as older set-ups name it. */
  @Setting('NODE_TYPE') @IsIn(['master'], { message: 'must be master here; start the agent for a slave' })
  role: string = 'master';

  /** Folder of `holdfast keys init`; the same content on every master. */
  @Setting('HOLDFAST_KEYS_DIR') @IsString()
  keysDir: string = 'holdfast-data/keys';

  /** Folder of the builtin targets and of work files. Masters that share builtin targets share this folder. */
  @Setting('HOLDFAST_DATA_DIR') @IsString()
  dataDir: string = 'holdfast-data/master';

  /** Folder of the agents that hosts download, made by `npm run build:agent`. Absent: `dist/agent` of the project. */
  @Setting('HOLDFAST_AGENT_DIR') @IsOptional() @IsString()
  agentDir?: string;

  /** NATS URLs that agents are told when they enrol. Absent: those of the master. */
  @Setting('HOLDFAST_AGENT_NATS_URL', { parse: asList }) @IsOptional()
  @Matches(/^(nats|tls|wss?):\/\/[^\s]+$/, { each: true, message: 'must be URLs such as tls://host:4222 divided by commas' })
  agentNatsUrls?: readonly string[];

  /** Copies of each stream: 1, or 3 on a cluster of three or more servers. */
  @Setting('HOLDFAST_STREAM_REPLICAS', { parse: asInteger }) @IsIn([1, 3, 5], { message: 'must be 1, 3 or 5' })
  streamReplicas: number = 1;

  /** Seconds without a sign of life of this master after which the others take up what it was at work on (verify, prune). */
  @Setting('HOLDFAST_EXECUTOR_SILENCE', { parse: asInteger }) @IsInt() @Min(15) @Max(3600)
  executorSilence: number = 60;

  /** Seconds that the token of a node is valid; agents renew it when two thirds of that are over. */
  @Setting('HOLDFAST_CREDENTIAL_LIFE', { parse: asInteger }) @IsInt() @Min(10) @Max(31_536_000)
  credentialLife: number = 2_592_000;

  /** Seconds that the old key of a node goes on working after a rotation, unless the rotation says otherwise. */
  @Setting('HOLDFAST_ROTATION_GRACE', { parse: asInteger }) @IsInt() @Min(0) @Max(2_592_000)
  rotationGrace: number = 86_400;

  /** Signs session cookies; the same on every master. Absent: derived from the crypto secret of the keys folder. */
  @Setting('SESSION_SECRET') @IsOptional() @IsSecret()
  sessionSecret?: string;

  /** Serve the OpenAPI pages at /api/docs. */
  @Setting('HOLDFAST_API_DOCS', { parse: asBoolean }) @IsBoolean()
  apiDocs: boolean = true;
}

/** The URL that browsers and agents use, without a slash at its end. */
export const publicUrlOf = ({ http }: Pick<MasterConfig, 'http'>): string =>
  (http.publicUrl ?? `http://${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`).replace(/\/+$/, '');
