import { type DecodedJwt, type Nkey, type ProofPurpose, decodeJwt, nkeyFromSeed, prove } from '#identity';
import { fault } from '#kernel';
import type { BusCredential } from '#messaging';
import type { NodeIdentity } from '../state/node-identity.ts';
import { readTextFile, writePrivateFile } from '../state/private-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';

/** Times of a token, in milliseconds since 1970 on the clock of whoever signed it. */
export interface TokenLife {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

const decoded = (jwt: string): DecodedJwt | undefined => {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
};

/** Throws `token-unfit` (retryable: another master may answer rightly) unless the token is this node's, for this key. */
export const assertToken = (jwt: string, node: string, publicKey: string): void => {
  const token = decoded(jwt);
  if (token?.sub === publicKey && token.name === node && token.exp !== undefined) return;
  throw fault('unavailable', 'token-unfit', 'The master sent a token for another node or key; asking again');
};

/** The key and token that this agent connects with: in memory for every connection, and in the state directory for the next process. */
export class AgentCredential {
  private readonly state: StateDirectory;
  private readonly node: string;
  private key: Nkey;
  private token: string;
  private presented: string | undefined;
  private exchanged = false;

  constructor(state: StateDirectory, { facts, natsSeed, natsJwt }: Pick<NodeIdentity, 'facts' | 'natsSeed' | 'natsJwt'>) {
    this.state = state;
    this.node = facts.node;
    this.key = nkeyFromSeed('user', natsSeed);
    this.token = natsJwt;
  }

  get publicKey(): string {
    return this.key.publicKey;
  }

  get jwt(): string {
    return this.token;
  }

  /** False when the last connection was made with an older key or token. */
  get isInUse(): boolean {
    return this.presented === this.token;
  }

  /** Undefined for a token that cannot be read: as good as expired. */
  get life(): TokenLife | undefined {
    const token = decoded(this.token);
    return token?.exp === undefined ? undefined : { issuedAt: token.iat * 1000, expiresAt: token.exp * 1000 };
  }

  /** What the bus asks for at every (re)connection. */
  forBus(): BusCredential {
    return {
      jwt: () => {
        this.presented = this.token;
        return this.token;
      },
      seed: () => this.key.seed,
    };
  }

  /** True once for each exchange: the first connection with it need not wait. */
  isNew(): boolean {
    const first = this.exchanged;
    this.exchanged = false;
    return first;
  }

  prove(purpose: ProofPurpose, ...parts: readonly string[]): string {
    return prove(this.key, purpose, ...parts);
  }

  /** Takes a new token for the same key. */
  renew(jwt: string): void {
    assertToken(jwt, this.node, this.publicKey);
    this.assertOurs();
    writePrivateFile(this.state.natsJwt, jwt);
    this.token = jwt;
    this.exchanged = true;
  }

  /**
   * Takes another key and its token. Two files: who dies between them has the rotation in hand still and comes here again before
   * anything is read.
   */
  replace(seed: string, jwt: string): void {
    const key = nkeyFromSeed('user', seed);
    assertToken(jwt, this.node, key.publicKey);
    this.assertOurs(seed);
    writePrivateFile(this.state.natsJwt, jwt);
    writePrivateFile(this.state.natsSeed, seed);
    this.key = key;
    this.token = jwt;
    this.exchanged = true;
  }

  /** Somebody may have enrolled this directory anew while we run: his key is not written over. Throws `identity-replaced`. */
  assertOurs(successor = this.key.seed): void {
    const lies = readTextFile(this.state.natsSeed)?.trim();
    if (lies === this.key.seed || lies === successor) return;
    throw fault('refused', 'identity-replaced', `${this.state.root} was enrolled anew while this agent runs; start the agent again`);
  }
}
