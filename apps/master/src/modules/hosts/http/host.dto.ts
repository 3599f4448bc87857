import { Transform } from 'class-transformer';
import { IsBase64, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

export class BrowseQuery {
  /** Directory from `/`. Default `/`. */
  @IsOptional() @IsString() @MaxLength(4096) path?: string;
  /** The directory's bytes in base64, in place of `path`: for names that are not UTF-8. */
  @IsOptional() @IsBase64() @MaxLength(8192) path64?: string;
  /** Entries of a page. Default 200. */
  @IsOptional() @Transform(({ value }: { value: unknown }) => Number(value)) @IsInt() @Min(1) @Max(1000) limit?: number;
  /** `nextCursor` of the page before; none for the first page. */
  @IsOptional() @IsString() @MaxLength(1024) cursor?: string;
}

/** One name in a directory of a host, as it is now. */
export class HostEntryAnswer {
  /** Bytes that are not UTF-8 are shown as `\xNN`. */
  name: string;
  /** From `/`. */
  path: string;
  /** The path's bytes in base64, where it is not UTF-8: ask for the directory with these. */
  path64?: string;
  type?: string;
  /** Bytes of content. */
  size?: number;
  /** RFC 3339. */
  modified?: string;
  /** Permission bits in octal. */
  mode?: string;
  user?: string;
  group?: string;
  /** The system's code, where the entry could not be looked at. */
  error?: string;
}

export class HostDirectoryAnswer {
  path: string;
  items: HostEntryAnswer[];
  nextCursor?: string;
  /** Names in the directory altogether. */
  total: number;
  /** Why there is no list: `EACCES`, `ENOENT`, `ENOTDIR`, `ETIMEDOUT`, or another code of the host's system. */
  error?: string;
}

/** How it was found. */
export class EvidenceAnswer {
  /** `process`, `socket`, `port`, `directory` or `file`. */
  by: string;
  detail: string;
}

/** Something on a host that may be worth a backup. Only what was seen is said; what is absent is not known. */
export class DiscoveryAnswer {
  /** `postgresql`, `mysql`, `saphana`, `sqlite`, `docker-volume`, `podman-volume`; further ones may come. */
  kind: string;
  /** Directory or file. */
  path?: string;
  path64?: string;
  version?: string;
  running?: boolean;
  /** Unix sockets on which it listens. */
  sockets: string[];
  /** `address:port` on which it listens. */
  ports: string[];
  /** Bytes, of what is one file. */
  size?: number;
  /** Id of the container that it runs in; then its paths are not those of the host. */
  container?: string;
  evidence: EvidenceAnswer[];
}

/** What could not be looked at. */
export class DiscoveryNoteAnswer {
  code: string;
  detail: string;
}

export class DiscoveriesAnswer {
  items: DiscoveryAnswer[];
  notes: DiscoveryNoteAnswer[];
}
