import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The argon2id hash of a user's password. */
@Entity({ schema: 'vault', name: 'passwords' })
export class PasswordHash {
  @PrimaryColumn({ type: 'text' }) user: string;
  /** PHC string. */
  @Column({ type: 'text' }) hash: string;
}

/** The hash of an API key's secret. */
@Entity({ schema: 'vault', name: 'api_key_hashes' })
export class ApiKeyHash {
  /** SHA-256 (hex): what a presented key is looked up by. */
  @PrimaryColumn({ type: 'text' }) hash: string;
  @Column({ name: 'api_key', type: 'text' }) apiKey: string;
}

/** Somebody's log-in. The cookie holds a secret of which this is the hash. */
@Entity({ schema: 'vault', name: 'sessions' })
export class Session {
  @PrimaryColumn({ type: 'text' }) hash: string;
  @Index() @Column({ type: 'text' }) user: string;
  @Column({ name: 'began_at', type: 'timestamptz' }) beganAt: Date;
  @Column({ name: 'expires_at', type: 'timestamptz' }) expiresAt: Date;
  /** Client address at the log-in. */
  @Column({ type: 'text', nullable: true }) from: string | null;
}

/** Failed log-ins of one name from one address inside one window: shared by all masters. */
@Entity({ schema: 'vault', name: 'login_attempts' })
export class LoginAttempts {
  /** `<kind>:<name or address>`. */
  @PrimaryColumn({ type: 'text' }) key: string;
  @Column({ name: 'window_from', type: 'timestamptz' }) windowFrom: Date;
  @Column({ type: 'integer' }) failures: number;
}
