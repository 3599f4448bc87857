import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../../../platform/domain/role.ts';

/** A person who may log in, or might. */
@Entity({ schema: 'read', name: 'users' })
export class UserRow {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'integer' }) revision: number;
  @Column({ type: 'text' }) name: string;
  @Column({ type: 'text' }) role: Role;
  @Column({ type: 'text' }) status: 'active' | 'disabled';
  @Column({ name: 'created_at', type: 'timestamptz' }) createdAt: Date;
  /** Sessions that began before this are over. */
  @Column({ name: 'sessions_from', type: 'timestamptz' }) sessionsFrom: Date;
}
