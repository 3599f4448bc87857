import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Lease } from '../../domain/repository.state.ts';

/** A repository: one node in one target. */
@Entity({ schema: 'read', name: 'repositories' })
export class RepositoryRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) node: string;
  @Column({ type: 'text' }) target: string;
  /** 32 hex digits; absent until its first snapshot. */
  @Column({ name: 'repository_id', type: 'text', nullable: true }) repositoryId: string | null;
  @Column({ type: 'integer' }) generation: number;
  @Column({ type: 'jsonb' }) leases: Lease[];
  @Column({ type: 'integer' }) snapshots: number;
  @Column({ name: 'latest_snapshot', type: 'text', nullable: true }) latestSnapshot: string | null;
  @Column({ name: 'pruned_at', type: 'timestamptz', nullable: true }) prunedAt: Date | null;
  @Column({ name: 'deleted_bytes', type: 'bigint' }) deletedBytes: number;
  /** Bytes of the packs after the last prune; this and the next two are absent until one has said them. */
  @Column({ name: 'stored_bytes', type: 'bigint', nullable: true }) storedBytes: number | null;
  /** Plain bytes that snapshots needed then, each chunk once. */
  @Column({ name: 'live_plain_bytes', type: 'bigint', nullable: true }) livePlainBytes: number | null;
  /** Plain bytes that the packs held then. */
  @Column({ name: 'kept_plain_bytes', type: 'bigint', nullable: true }) keptPlainBytes: number | null;
  @Column({ name: 'created_at', type: 'timestamptz', nullable: true }) createdAt: Date | null;
  @Column({ type: 'integer' }) revision: number;
}
