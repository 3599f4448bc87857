import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { HostReport, UpgradeReport } from '#contracts';

/** What the agent of a node last said of itself when it asked who it is. Overwritten, never rebuilt. */
@Entity({ schema: 'live', name: 'agents' })
export class AgentWordRow {
  @PrimaryColumn({ type: 'text' }) node: string;
  @Column({ type: 'jsonb', nullable: true }) host: HostReport | null;
  /** How far an ordered upgrade is. */
  @Column({ type: 'jsonb', nullable: true }) upgrade: UpgradeReport | null;
}
