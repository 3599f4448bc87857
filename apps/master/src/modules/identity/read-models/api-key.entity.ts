import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../../platform/domain/role.ts';

/** A key for a program; its secret's hash is in the vault. */
@Entity({ schema: 'read', name: 'api_keys' })
export class ApiKeyRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'integer' }) revision: number;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'text' }) role: Role;
  @Column({ type: 'text' }) status: 'active' | 'revoked';
  @Column({ name: 'created_at', type: 'timestamptz' }) createdAt: Date;
  @Column({ name: 'created_by', type: 'text' }) createdBy: string;
  /** Null: until it is revoked. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true }) expiresAt: Date | null;
}
