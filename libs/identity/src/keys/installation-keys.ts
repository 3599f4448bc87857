import type { Nkey } from '../nats/nkey.ts';
import type { SigningKey } from './signing-key.ts';

/** Every secret of an installation that is not in a database. The same on every master; part of the recovery kit. */
export interface InstallationKeys {
  /** Signs the accounts of NATS on behalf of the operator. */
  readonly operatorSigning: Nkey;
  readonly system: Nkey;
  readonly control: Nkey;
  readonly agents: Nkey;
  /** The operator's token, as it stands in nats.conf; the operator's own seed may be kept elsewhere. */
  readonly operatorJwt: string;
  /** Signs everything that masters say to agents. */
  readonly commandSigning: SigningKey;
  /** age identity and recipient of the catalog. */
  readonly catalog: AgeKey;
  /** age identity and recipient of the data; no identity where only the owners may read. */
  readonly data: Partial<AgeKey> & Pick<AgeKey, 'recipient'>;
  /** 32 random bytes: keys of the vault and of sessions are derived from it. */
  readonly cryptoSecret: Uint8Array;
}

/** An age key pair: `AGE-SECRET-KEY-1...` (secret) and `age1...`. */
export interface AgeKey {
  readonly identity: string;
  readonly recipient: string;
}
