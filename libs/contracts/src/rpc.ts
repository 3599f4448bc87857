import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsBase64, IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min, ValidateNested } from 'class-validator';

/** What masters may ask an agent that is there. Reading only: nothing on the host changes by it. */
export const rpcMethods = ['browse', 'discover'] as const;
export type RpcMethod = (typeof rpcMethods)[number];

/** "What is in this directory?" Paths and names are raw bytes, in base64. */
export class BrowseRequest {
  /** From `/`. */
  @IsBase64() @MaxLength(8192) path64: string;
  /** The last name of the page before; absent for the first. */
  @IsOptional() @IsBase64() @MaxLength(1024) after64?: string;
  @IsInt() @Min(1) @Max(1000) limit: number;
}

/** One name of a directory. `name64` in place of `name` where the bytes are no UTF-8. */
export class HostEntry {
  @IsOptional() @IsString() @MaxLength(1024) name?: string;
  @IsOptional() @IsBase64() @MaxLength(1024) name64?: string;
  @IsOptional() @IsIn(['file', 'directory', 'symlink', 'fifo', 'socket', 'block', 'char']) type?: string;
  @IsOptional() @IsInt() @Min(0) size?: number;
  @IsOptional() @IsInt() @Min(0) @Max(0o7777) mode?: number;
  @IsOptional() @IsInt() uid?: number;
  @IsOptional() @IsInt() gid?: number;
  @IsOptional() @IsString() @MaxLength(256) user?: string;
  @IsOptional() @IsString() @MaxLength(256) group?: string;
  /** Milliseconds since 1970. */
  @IsOptional() @IsInt() mtimeMs?: number;
  /** The system's code, where it could not be looked at. */
  @IsOptional() @Matches(/^[A-Z0-9_]{1,32}$/) error?: string;
}

/** A page of a directory, sorted by bytes. */
export class BrowseAnswer {
  @IsArray() @ArrayMaxSize(1000) @ValidateNested({ each: true }) @Type(() => HostEntry) entries: HostEntry[];
  @IsInt() @Min(0) total: number;
  @IsOptional() @IsBase64() @MaxLength(1024) next64?: string;
  @IsOptional() @Matches(/^[A-Z0-9_]{1,32}$/) error?: string;
}

/** How something was found. */
export class HostEvidence {
  @IsIn(['process', 'socket', 'port', 'directory', 'file']) by: 'process' | 'socket' | 'port' | 'directory' | 'file';
  @IsString() @MaxLength(8192) detail: string;
}

/** Something that may be worth a backup. */
export class HostDiscovery {
  @Matches(/^[a-z][a-z0-9-]{0,31}$/) kind: string;
  @IsOptional() @IsString() @MaxLength(8192) path?: string;
  @IsOptional() @IsBase64() @MaxLength(8192) path64?: string;
  @IsOptional() @IsString() @MaxLength(64) version?: string;
  @IsOptional() @IsBoolean() running?: boolean;
  @IsArray() @ArrayMaxSize(64) @IsString({ each: true }) @MaxLength(256, { each: true }) sockets: string[];
  @IsArray() @ArrayMaxSize(64) @IsString({ each: true }) @MaxLength(256, { each: true }) ports: string[];
  @IsOptional() @IsInt() @Min(0) size?: number;
  @IsOptional() @Matches(/^[0-9a-f]{12,64}$/) container?: string;
  @IsArray() @ArrayMaxSize(64) @ValidateNested({ each: true }) @Type(() => HostEvidence) evidence: HostEvidence[];
}

/** What could not be looked at. */
export class HostNote {
  @IsString() @MaxLength(64) code: string;
  @IsString() @MaxLength(8192) detail: string;
}

/** Answers "which databases are on this host?". */
export class DiscoverAnswer {
  @IsArray() @ArrayMaxSize(1000) @ValidateNested({ each: true }) @Type(() => HostDiscovery) found: HostDiscovery[];
  @IsArray() @ArrayMaxSize(200) @ValidateNested({ each: true }) @Type(() => HostNote) notes: HostNote[];
}

/**
 * What an agent answers to a request. The content is sealed to the key that the signed request names, so that only the master that
 * asked can read it: a captured request may be sent again, and what comes is of no use to whoever sent it.
 */
export class RpcReply {
  /** An age file in base64 with the JSON of an `Answer`; or, where the request was not to be believed, that JSON of a refusal itself. */
  @IsString() payload: string;
  @IsBoolean() sealed: boolean;
  /** The node's public NATS key, `U...`. */
  @Matches(/^U[A-Z2-7]{55}$/) key: string;
  /** Ed25519 of that key over `holdfast/1 rpc-reply\0<node id>\0<sealed or plain>\0<payload>`, base64. */
  @IsString() @MaxLength(128) signature: string;
}
