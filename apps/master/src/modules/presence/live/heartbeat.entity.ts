import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The last heartbeat of one state directory of a node. Overwritten, never rebuilt. */
@Entity({ schema: 'live', name: 'heartbeats' })
export class HeartbeatRow {
  @PrimaryColumn({ type: 'text' }) node: string;
  @PrimaryColumn({ type: 'text' }) instance: string;
  /** Arrival on the bus, by its server's clock. */
  @Column({ name: 'first_seen', type: 'timestamptz' }) firstSeen: Date;
  @Column({ name: 'last_seen', type: 'timestamptz' }) lastSeen: Date;
  /** How far the node's clock is ahead of the bus server's, in milliseconds, the way of the message included. */
  @Column({ name: 'skew_ms', type: 'integer' }) skewMs: number;
  @Column({ type: 'text' }) hostname: string;
  @Column({ type: 'text' }) ip: string;
  @Column({ type: 'text' }) mac: string;
  @Column({ type: 'text' }) version: string;
  @Column({ type: 'double precision' }) load: number;
  @Column({ name: 'memory_free', type: 'bigint', nullable: true }) memoryFree: number | null;
  @Column({ name: 'memory_total', type: 'bigint', nullable: true }) memoryTotal: number | null;
  /** Of all processors together. */
  @Column({ name: 'cpu_percent', type: 'double precision', nullable: true }) cpuPercent: number | null;
  /** Bytes of the file system of the state directory. */
  @Column({ name: 'disk_free', type: 'bigint', nullable: true }) diskFree: number | null;
  @Column({ name: 'disk_total', type: 'bigint', nullable: true }) diskTotal: number | null;
  @Column({ type: 'integer' }) slots: number;
  @Column({ type: 'integer' }) running: number;
}

/** The last time the bus said that a node's connection ended, until it is heard of again. */
@Entity({ schema: 'live', name: 'disconnects' })
export class DisconnectRow {
  @PrimaryColumn({ type: 'text' }) node: string;
  /** By the bus server's clock. */
  @Column({ type: 'timestamptz' }) at: Date;
  @Column({ type: 'text' }) reason: string;
}
