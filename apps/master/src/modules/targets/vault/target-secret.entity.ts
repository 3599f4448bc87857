import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The secret part of a target's settings, sealed. Events name it by its id; one that no event names is an attempt that was refused. */
@Entity({ schema: 'vault', name: 'target_secrets' })
export class TargetSecret {
  @PrimaryColumn({ type: 'text' }) id: string;
  @Column({ type: 'text' }) target: string;
  /** JSON, sealed with the crypto secret under `target-secret:<id>`. */
  @Column({ type: 'bytea' }) sealed: Buffer;
}
