import { Type } from 'class-transformer';
import { IsDefined, IsIn, IsOptional, IsString, Matches, MaxLength, ValidateNested } from 'class-validator';
import { HostReport, type InstallMode } from '#contracts';
import { PageQuery } from '../../../platform/index.ts';
import { InstallOptionsRequest } from './install-options.dto.ts';

export class IssueLinkRequest extends InstallOptionsRequest {
  /** The node that may enrol with it. */
  @Matches(/^node_[0-9a-z]{20}$/, { message: 'node must be the id of a node' }) node: string;
}

/** What became of a link. */
export const linkStatuses = ['open', 'consumed', 'expired', 'revoked'] as const;

export class LinkQuery extends PageQuery {
  /** Only links of this node. */
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  /** Only links that were made at once. */
  @IsOptional() @IsString() @MaxLength(64) batch?: string;
  @IsOptional() @IsIn(linkStatuses) status?: (typeof linkStatuses)[number];
}

/** A link without its token, which nobody can read again. */
export class LinkView {
  id: string;
  node: string;
  /** Of the links that were made at once. */
  batch?: string;
  /** `expired` from the moment its time has passed. */
  status: 'open' | 'consumed' | 'expired' | 'revoked';
  /** How long an open one still works. */
  remainingSeconds?: number;
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
  remainingSeconds: number;
  /** One line that installs the agent on the host, as root. */
  command: string;
  /** The same in longer words that say so when a proxy puts a web page in place of the script. */
  checkedCommand: string;
}

/** What an agent says of its host: shown, never trusted. The rules are those of the message; this is its description for the interface. */
export class HostRequest extends HostReport {
  override hostname: string;
  override platform: string;
  override arch: string;
  override agentVersion: string;
  /** Name and version of the operating system. */
  override os?: string;
  override kernel?: string;
  override cpus?: number;
  /** Bytes. */
  override memory?: number;
  override installMode?: InstallMode;
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
