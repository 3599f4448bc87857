import { Type } from 'class-transformer';
import { IsDefined, IsIn, IsOptional, IsString, Length, Matches, MaxLength, ValidateNested } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';

/** How long a link may live. */
export const linkLives = { '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;

export class IssueLinkRequest {
  /** The node that may enrol with it. */
  @IsString() @MaxLength(64) node: string;
  /** Default 15m. */
  @IsOptional() @IsIn(Object.keys(linkLives)) life?: keyof typeof linkLives;
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
}

/** What an agent says of its host: shown, never trusted. */
export class HostRequest {
  @IsString() @Length(1, 255) hostname: string;
  @IsString() @MaxLength(32) platform: string;
  @IsString() @MaxLength(32) arch: string;
  @IsString() @MaxLength(64) agentVersion: string;
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
