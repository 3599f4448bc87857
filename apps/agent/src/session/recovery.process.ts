import { nkeyFromSeed, prove } from '#identity';
import { type Clock, type Logger, fault, hasCode, isAppError, messageOf } from '#kernel';
import { Wakeup } from '../attempts/wakeup.ts';
import { readRotation, writeRotation } from '../state/rotation-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import { type AgentCredential, assertToken } from './agent-credential.ts';

export interface RecoveryDependencies {
  readonly state: StateDirectory;
  readonly credential: AgentCredential;
  readonly node: string;
  /** Posts JSON to a master over HTTP; the object of its answer. */
  readonly post: (path: string, body: object) => Promise<Record<string, unknown>>;
  /** The state directory was enrolled anew by somebody else: this process must end. */
  readonly onReplaced: (error: Error) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const idleMs = 3_600_000;
const firstMs = 1_000;
const longestMs = 300_000;
/** Words of the masters that asking again soon does not change. */
const final = new Set(['credential-revoked', 'credential-replaced', 'credential-not-found', 'key-of-another-node']);

/**
 * Gets a token over HTTP when the bus does not take the one at hand: it ran out while the host was away, or a rotation was broken off
 * and the old key is over. Works without the bus, from the first connection on.
 */
export class RecoveryProcess {
  private readonly deps: RecoveryDependencies;
  private readonly wakeup = new Wakeup();
  private wanted = false;
  private tries = 0;

  constructor(deps: RecoveryDependencies) {
    this.deps = deps;
  }

  /** The bus has refused the credential. */
  refused(): void {
    this.wanted = true;
    this.wakeup.signal();
  }

  /** The bus has taken it. */
  calm(): void {
    this.tries = 0;
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.deps;
    while (!signal.aborted) {
      if (!this.wanted) await this.wakeup.wait(clock, idleMs, signal).catch(() => undefined);
      if (signal.aborted || !this.wanted) continue;
      this.wanted = false;
      let rest = Math.min(longestMs, firstMs * 2 ** Math.min(this.tries++, 10));
      try {
        await this.pass();
      } catch (error) {
        if (hasCode(error, 'identity-replaced')) this.deps.onReplaced(error);
        if (isAppError(error) && final.has(error.code)) rest = longestMs;
        logger.warn('The bus does not take this node\'s credential, and the master gave no other', { reason: messageOf(error) });
      }
      await clock.sleep(rest * (0.7 + Math.random() * 0.3), signal).catch(() => undefined);
    }
  }

  /** Asks once. Throws the master's refusals, `master-unreachable` and `identity-replaced`. */
  async pass(): Promise<void> {
    const { credential, node, logger } = this.deps;
    credential.assertOurs();
    if (await this.finishRotation()) return;
    const jwt = await this.tokenFor(credential.publicKey, (nonce) => credential.prove('renew', node, nonce));
    credential.renew(jwt);
    logger.info('The master renewed the token of this node over HTTP', { expiresAt: credential.life?.expiresAt });
  }

  /** The new key of a rotation in hand may be the node's already, whose answer was lost. */
  private async finishRotation(): Promise<boolean> {
    const { state, credential, node } = this.deps;
    const inHand = readRotation(state);
    if (!inHand) return false;
    const key = nkeyFromSeed('user', inHand.seed);
    if (key.publicKey === credential.publicKey) return false;
    try {
      const jwt = await this.tokenFor(key.publicKey, (nonce) => prove(key, 'renew', node, nonce));
      writeRotation(state, { ...inHand, jwt, accepted: true });
      credential.replace(inHand.seed, jwt);
      return true;
    } catch (error) {
      if (isAppError(error) && final.has(error.code)) return false;
      throw error;
    }
  }

  private async tokenFor(publicKey: string, proofOf: (nonce: string) => string): Promise<string> {
    const { node } = this.deps;
    const nonce = await this.textOf('nonce', '/api/v1/agent/credential:challenge', { node, publicKey });
    const jwt = await this.textOf('jwt', '/api/v1/agent/credential:renew', { node, publicKey, nonce, proof: proofOf(nonce) });
    assertToken(jwt, node, publicKey);
    return jwt;
  }

  private async textOf(field: string, path: string, body: object): Promise<string> {
    const value = (await this.deps.post(path, body))[field];
    if (typeof value === 'string') return value;
    throw fault('unavailable', 'master-unreachable', 'What answers at the master\'s address is no master of this version');
  }
}
