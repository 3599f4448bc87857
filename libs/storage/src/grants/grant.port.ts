import type { Grant } from '#contracts';

/** One object that may be written or read, and until when. */
export interface GrantOrder {
  readonly access: 'write' | 'read';
  /** Name inside the store that the signer is made for. */
  readonly name: string;
  /** For `write`: bytes. */
  readonly size?: number;
  /** For `write`: 32 bytes. */
  readonly sha256?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Makes permissions for one object each. A write grant binds method, name, length, hash and create-only; a read grant method and name. */
export interface GrantSigner {
  issue(order: GrantOrder): Promise<Grant>;
}
