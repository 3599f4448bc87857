import { Type } from 'class-transformer';
import { IsBoolean, IsDefined, IsIn, IsInt, IsOptional, IsString, IsUrl, Length, Matches, MaxLength, Min, ValidateNested } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';

/** How long a link may live. */
export const linkLives = { '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;

/** No user, no password, nothing a shell or a service manager could read as more than a URL. */
const plainUrl = /^https?:\/\/[A-Za-z0-9.:[\]_-]+(\/[A-Za-z0-9._~/-]*)?$/;

export class IssueLinkRequest {
  /** The node that may enrol with it. */
  @IsString() @MaxLength(64) node: string;
  /** Default 15m. */
  @IsOptional() @IsIn(Object.keys(linkLives)) life?: keyof typeof linkLives;
  /** How the one-line command installs the agent: a service of systemd, a container, or until Ctrl-C. Default systemd. */
  @IsOptional() @IsIn(['systemd', 'docker', 'foreground']) mode?: 'systemd' | 'docker' | 'foreground';
  /** Default auto: that of the host. */
  @IsOptional() @IsIn(['auto', 'amd64', 'arm64']) arch?: 'auto' | 'amd64' | 'arm64';
  /** Version of the agent. Default: the master's. */
  @IsOptional() @Matches(/^(current|\d{1,4}\.\d{1,4}\.\d{1,4}(-[0-9A-Za-z.]{1,32})?)$/, { message: 'version must be one such as 0.1.0' }) version?: string;
  /** How this host reaches a master, when not by the public URL. */
  @IsOptional() @MaxLength(500) @Matches(plainUrl, { message: 'masterUrl must be a URL such as https://backup.example.com, without a password' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }) masterUrl?: string;
  /** HTTP proxy for what goes to the master, without a password. */
  @IsOptional() @MaxLength(500) @Matches(plainUrl, { message: 'proxy must be a URL such as http://proxy:3128, without a password' })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true }) proxy?: string;
  /** PEM of the authority that signed the master's certificate, when it is not a public one. */
  @IsOptional() @MaxLength(65_536) @Matches(/^(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/, { message: 'ca must be certificates in PEM' }) ca?: string;
  /** The agent may write anywhere on the host, to restore to where files came from. Default false: only into its own folder. */
  @IsOptional() @IsBoolean() restores?: boolean;
}

/** What became of a link. */
export const linkStatuses = ['open', 'consumed', 'expired'] as const;

export class LinkQuery extends PageQuery {
  /** Only links of this node. */
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  @IsOptional() @IsIn(linkStatuses) status?: (typeof linkStatuses)[number];
}

/** A link without its token, which nobody can read again. */
export class LinkView {
  id: string;
  node: string;
  /** `expired` from the moment its time has passed. */
  status: 'open' | 'consumed' | 'expired';
  /** RFC 3339. */
  issuedAt: string;
  expiresAt: string;
  consumedAt?: string;
}

export class LinkPage {
  items: LinkView[];
  nextCursor?: string;
}

/** The only answer that holds the token. */
export class LinkAnswer {
  id: string;
  node: string;
  /** Give it to the agent on that host; it works once. */
  token: string;
  /** RFC 3339. */
  expiresAt: string;
  /** One line that installs the agent on the host, as root. */
  command: string;
  /** The same in longer words that say so when a proxy puts a web page in place of the script. */
  checkedCommand: string;
}

/** What an agent says of its host: shown, never trusted. */
export class HostRequest {
  @IsString() @Length(1, 255) hostname: string;
  @IsString() @MaxLength(32) platform: string;
  @IsString() @MaxLength(32) arch: string;
  @IsString() @MaxLength(64) agentVersion: string;
  /** Name and version of the operating system. */
  @IsOptional() @IsString() @MaxLength(128) os?: string;
  @IsOptional() @IsString() @MaxLength(128) kernel?: string;
  @IsOptional() @IsInt() @Min(1) cpus?: number;
  /** Bytes. */
  @IsOptional() @IsInt() @Min(0) memory?: number;
  @IsOptional() @IsIn(['systemd', 'docker', 'foreground', 'unbuilt']) installMode?: 'systemd' | 'docker' | 'foreground' | 'unbuilt';
}

/** An agent that wants to become the node of its link. Its private keys never leave it. */
export class EnrolRequest {
  @IsString() @MaxLength(200) token: string;
  /** NATS user key. */
  @Matches(/^U[A-Z2-7]{55}$/, { message: 'publicKey must be a NATS user key: U and 55 letters and digits' }) publicKey: string;
  /** age recipient. */
  @IsString() @Matches(/^age1[0-9a-z]{20,200}$/, { message: 'recipient must be an age recipient: it begins with age1' }) recipient: string;
  @IsDefined() @ValidateNested() @Type(() => HostRequest) host: HostRequest;
}

/** A key that the agent pins: only what it signed is obeyed. */
export class CommandKeyAnswer {
  id: string;
  /** PEM. */
  publicKey: string;
}

/** All that an agent needs to work. */
export class EnrolAnswer {
  node: string;
  name: string;
  installation: string;
  /** Token for NATS; worth nothing without the node's private key. */
  jwt: string;
  /** RFC 3339. */
  jwtExpiresAt: string;
  natsUrls: string[];
  commandKeys: CommandKeyAnswer[];
  /** PEM of the authority of the NATS servers; absent when it is a public one. */
  ca?: string;
}
