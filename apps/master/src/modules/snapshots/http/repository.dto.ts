import { IsBoolean, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQuery } from '../../../platform/index.ts';

export class RepositoryQuery extends PageQuery {
  @IsOptional() @IsString() @MaxLength(64) node?: string;
  @IsOptional() @IsString() @MaxLength(64) target?: string;
}

export class PruneRequest {
  /** Say what would be deleted, delete nothing. Default false. */
  @IsOptional() @IsBoolean() dryRun?: boolean;
}

/** The deduplicated, encrypted objects of one node in one target. */
export class RepositoryAnswer {
  id: string;
  revision: number;
  node: string;
  target: string;
  /** 32 hex digits; absent until the first snapshot. */
  repositoryId?: string;
  generation: number;
  snapshots: number;
  latestSnapshot?: string;
  /** Runs that use it now. */
  leases: { run: string; mode: 'shared' | 'exclusive' }[];
  createdAt?: string;
  prunedAt?: string;
  /** Bytes that prunes have deleted so far. */
  deletedBytes: number;
  /** What the packs took in the target after the last prune. This and the next three are absent until a prune has counted them; a backup since then adds to them. */
  storedBytes?: number;
  /** Before compression and encryption: what snapshots needed after the last prune, every chunk once. */
  livePlainBytes?: number;
  /** Before compression and encryption: what the packs held after the last prune. */
  keptPlainBytes?: number;
  /** About what compaction of the packs could free of `storedBytes`: the share of `keptPlainBytes` that no snapshot needs. */
  compactableBytes?: number;
}

export class RepositoryPage {
  items: RepositoryAnswer[];
  nextCursor?: string;
}
