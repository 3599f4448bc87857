import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBoolean, IsDefined, IsIn, IsInt, IsOptional, IsString, Matches, MaxLength, Min, ValidateNested } from 'class-validator';
import { HostReport, UpgradeReport } from './hosts.ts';

/** Questions of an agent to the masters: idempotent, same id on retry. Every answer is a `SignedMessage` with an `Answer`. */
export const askMethods = ['claim', 'sync', 'grant', 'known-chunks', 'packs', 'id-key', 'self', 'rotate', 'rotated', 'renew'] as const;
export type AskMethod = (typeof askMethods)[number];

/** Names the attempt and claim a question is asked under. */
export class ClaimReference {
  @Matches(/^run_[0-9a-z]{20}$/) run: string;
  @IsInt() @Min(1) attempt: number;
  @IsString() @MaxLength(64) claim: string;
}

/** "May I work on this attempt?" Repeated by the same instance it gets the same answer. */
export class ClaimAsk {
  /** Of this question; the answer repeats it, so that an old answer cannot be replayed. */
  @IsString() @MaxLength(64) id: string;
  @Matches(/^run_[0-9a-z]{20}$/) run: string;
  @IsInt() @Min(1) attempt: number;
  /** A name made anew at every start of the agent's state directory (not of the process). */
  @IsString() @MaxLength(64) instance: string;
}

/** "This is what I hold": on every (re)connect and every minute. */
export class SyncAsk {
  @IsString() @MaxLength(64) id: string;
  @IsString() @MaxLength(64) instance: string;
  @IsArray() @ArrayMaxSize(256) @ValidateNested({ each: true }) @Type(() => ClaimReference) held: ClaimReference[];
  /** Attempts whose report waits in the outbox. */
  @IsArray() @ArrayMaxSize(256) @ValidateNested({ each: true }) @Type(() => ClaimReference) reporting: ClaimReference[];
}

/** One object that the agent wants to write or read. */
export class GrantRequest {
  @IsIn(['write', 'read']) access: 'write' | 'read';
  /** Name inside the repository. */
  @IsString() @MaxLength(256) name: string;
  /** For `write`: bytes and SHA-256 (hex). */
  @IsOptional() @IsInt() @Min(0) size?: number;
  @IsOptional() @Matches(/^[0-9a-f]{64}$/) sha256?: string;
}

/** "Let me write (or read) these objects." */
export class GrantAsk {
  @IsString() @MaxLength(64) id: string;
  @IsDefined() @ValidateNested() @Type(() => ClaimReference) holder: ClaimReference;
  @IsArray() @ArrayMaxSize(64) @ValidateNested({ each: true }) @Type(() => GrantRequest) objects: GrantRequest[];
}

/** "Where is the list of chunks that are there already?" One granted object, never the list over NATS. */
export class KnownChunksAsk {
  @IsString() @MaxLength(64) id: string;
  @IsDefined() @ValidateNested() @Type(() => ClaimReference) holder: ClaimReference;
}

/** "Which packs may hold chunks of the snapshot that I restore?" In pages, as there may be a hundred thousand. */
export class PacksAsk {
  @IsString() @MaxLength(64) id: string;
  @IsDefined() @ValidateNested() @Type(() => ClaimReference) holder: ClaimReference;
  /** The last name of the page before; absent for the first page. */
  @IsOptional() @IsString() @MaxLength(256) after?: string;
}

/** "Which id key has my repository?" Asked by an agent whose state directory does not hold it. */
export class IdKeyAsk {
  @IsString() @MaxLength(64) id: string;
  @IsDefined() @ValidateNested() @Type(() => ClaimReference) holder: ClaimReference;
}

/** "Who am I to you?" Name, labels, slots, settings. */
export class SelfAsk {
  @IsString() @MaxLength(64) id: string;
  @IsString() @MaxLength(64) instance: string;
  @IsString() @MaxLength(64) version: string;
  @IsString() @MaxLength(255) hostname: string;
  @IsOptional() @ValidateNested() @Type(() => HostReport) host?: HostReport;
  /** Of the last order to upgrade, while the masters have not written down what became of it. */
  @IsOptional() @ValidateNested() @Type(() => UpgradeReport) upgrade?: UpgradeReport;
}

const natsKey = /^U[A-Z2-7]{55}$/;
const rotationId = /^rot_[0-9a-z]{20}$/;

/** "I have made a new key pair; sign a token for it." Repeated with the same key it gets the same answer. */
export class RotateAsk {
  @IsString() @MaxLength(64) id: string;
  @Matches(rotationId) rotation: string;
  /** The key that is replaced, and the new one. */
  @Matches(natsKey) current: string;
  @Matches(natsKey) publicKey: string;
  /** Of rotation, node and new key: made with the replaced key, and with the new one (base64). */
  @IsString() @MaxLength(128) proof: string;
  @IsString() @MaxLength(128) newProof: string;
}

/** "I have connected with the key that I made in this rotation." */
export class RotatedAsk {
  @IsString() @MaxLength(64) id: string;
  @Matches(rotationId) rotation: string;
  @Matches(natsKey) publicKey: string;
  /** Of rotation and node, made with this key (base64). */
  @IsString() @MaxLength(128) proof: string;
}

/** "My token runs out; sign another one for the same key." */
export class RenewAsk {
  @IsString() @MaxLength(64) id: string;
  @Matches(natsKey) publicKey: string;
  /** Of node and `id`, made with this key (base64). */
  @IsString() @MaxLength(128) proof: string;
}

/** Value of the answers to `rotate` and `renew`: worth nothing without the node's private key. */
export interface TokenAnswer {
  readonly jwt: string;
}

/** Permission for one object, for a short time. */
export class Grant {
  @IsString() name: string;
  @IsIn(['PUT', 'GET']) method: 'PUT' | 'GET';
  @IsString() url: string;
  /** Headers to send exactly as they are. */
  headers: Record<string, string>;
  /** RFC 3339. */
  @IsString() expiresAt: string;
}

/** The inside of every signed answer. `stop`: the claim is fenced; end the attempt and report nothing. */
export type Answer<T> =
  | { readonly id: string; readonly status: 'ok'; readonly value: T }
  | { readonly id: string; readonly status: 'stale' | 'stop'; readonly code: string; readonly detail: string }
  | { readonly id: string; readonly status: 'refused'; readonly code: string; readonly detail: string; readonly retryable: boolean };

/** Value of a claim's answer. */
export interface ClaimGranted {
  /** The claim's id: goes with every later ask and report of this attempt. */
  readonly claim: string;
  /** Id that a snapshot made by this attempt will have. */
  readonly snapshot?: string;
  /** A `BackupSpecification` or `RestoreSpecification` as plain JSON; the agent validates it. */
  readonly specification: unknown;
  /** Milliseconds; the agent ends the attempt by itself after this long. The master judges expiry. */
  readonly timeoutMs: number;
}

/** Value of a sync's answer. */
export interface SyncAnswer {
  readonly stop: readonly ClaimReference[];
  readonly reportAgain: readonly ClaimReference[];
}

/** Value of a grant's answer: in the order asked. */
export interface GrantAnswer {
  readonly grants: readonly Grant[];
}

/** Value of a known-chunks answer; no object: nothing is known, upload everything. */
export interface KnownChunksAnswer {
  readonly generation: number;
  readonly object?: Grant;
}

/** Value of a packs answer: full names in byte order, at most 5,000; `more` when another page follows. More than needed is harmless. */
export interface PacksAnswer {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** Value of an id-key answer: base64 of an age file to the agent's recipient; absent when there is none yet, or the masters may not read it. */
export interface IdKeyAnswer {
  readonly sealed?: string;
}

/** An order to run another version. The file comes from `/api/v1/agent/<version>/linux-<arch>` of any master; what it must be is signed here. */
export interface UpgradeOrder {
  readonly id: string;
  readonly version: string;
  /** SHA-256 (hex) and bytes of the unpacked file. */
  readonly sha256: string;
  readonly size: number;
}

/** Value of a self answer. */
export interface SelfAnswer {
  readonly node: string;
  readonly name: string;
  readonly slots: number;
  readonly drained: boolean;
  readonly masterVersion: string;
  /** Command keys the node may pin: each PEM public key with its id. */
  readonly commandKeys: readonly { readonly id: string; readonly publicKey: string }[];
  /** Seconds between two heartbeats; absent: `heartbeatSeconds`. */
  readonly heartbeatSeconds?: number;
  /** Why this agent gets no work: its version is outside the masters' window. */
  readonly gate?: { readonly code: string; readonly detail: string };
  /** The version it is to become; absent when there is no order, or its end is written down. */
  readonly upgrade?: UpgradeOrder;
}

/** Flags of an agent's process that masters show. */
export class Capabilities {
  @IsBoolean() root: boolean;
  @IsBoolean() xattrs: boolean;
}
