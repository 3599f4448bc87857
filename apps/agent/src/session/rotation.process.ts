import type { TokenAnswer } from '#contracts';
import { type Nkey, newNkey, nkeyFromSeed, prove } from '#identity';
import { type Clock, type Logger, fault } from '#kernel';
import type { BusCredential } from '#messaging';
import { Wakeup } from '../attempts/wakeup.ts';
import type { Journal } from '../state/journal.ts';
import { type RotationInHand, readRotation, removeRotation, writeRotation } from '../state/rotation-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import { type AgentCredential, assertToken } from './agent-credential.ts';
import type { AskClient } from './ask-client.port.ts';
import { runPasses } from './passes.ts';

export interface RotationDependencies {
  readonly state: StateDirectory;
  readonly credential: AgentCredential;
  readonly journal: Pick<Journal, 'openOrders' | 'closeOrder'>;
  readonly ask: AskClient;
  readonly node: string;
  /** Connects once with another credential; throws when the bus does not take it. */
  readonly tryCredential: (credential: BusCredential) => Promise<void>;
  /** Exchanges the connection for one with the credential that is held now. */
  readonly switchOver: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const idleMs = 3_600_000;

/**
 * Makes a new key when it was ordered, and puts it in the old one's place once the bus has accepted it. Each step is on the disk before
 * the next one: a process that dies goes on where it was, and until the new key works the old one stays.
 */
export class RotationProcess {
  private readonly deps: RotationDependencies;
  private readonly wakeup = new Wakeup();

  constructor(deps: RotationDependencies) {
    this.deps = deps;
  }

  /** Looks now: there is an order, or the connection is new. */
  wake(): void {
    this.wakeup.signal();
  }

  /** Runs until `signal` is aborted. */
  run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.deps;
    const pass = (): Promise<void> => this.pass();
    return runPasses({ pass, restMs: () => idleMs, wakeup: this.wakeup, failure: 'The new key is not in its place yet', clock, logger }, signal);
  }

  /** Does every step that is left of what was ordered. Throws what stands in the way; nothing is lost by that. */
  async pass(): Promise<void> {
    for (let inHand = this.next(); inHand; inHand = this.next()) await this.advance(inHand);
  }

  private next(): RotationInHand | undefined {
    const inHand = readRotation(this.deps.state);
    if (inHand) return inHand;
    const [rotation] = this.deps.journal.openOrders('rotate');
    if (rotation === undefined) return undefined;
    const begun = { rotation, replaces: this.deps.credential.publicKey, seed: newNkey('user').seed };
    writeRotation(this.deps.state, begun);
    return begun;
  }

  private async advance(inHand: RotationInHand): Promise<void> {
    const { state, credential, switchOver, logger } = this.deps;
    const { rotation, seed } = inHand;
    const key = nkeyFromSeed('user', seed);
    const jwt = inHand.jwt ?? (await this.askForToken(rotation, key));
    if (jwt === undefined) return this.close(rotation);
    if (inHand.jwt === undefined) writeRotation(state, { ...inHand, jwt });
    if (!inHand.accepted) {
      await this.deps.tryCredential({ jwt: () => jwt, seed });
      writeRotation(state, { ...inHand, jwt, accepted: true });
    }
    if (credential.publicKey !== key.publicKey) credential.replace(seed, jwt);
    await switchOver();
    await this.report(rotation, key);
    this.close(rotation);
    logger.info('The node has a new key', { rotation, publicKey: key.publicKey });
  }

  /** Undefined when the masters know of no such rotation. */
  private async askForToken(rotation: string, key: Nkey): Promise<string | undefined> {
    const { ask, credential, node, logger } = this.deps;
    const { publicKey } = key;
    const answer = await ask.ask<TokenAnswer>('rotate', {
      id: ask.nextId(), rotation, current: credential.publicKey, publicKey,
      proof: credential.prove('rotate', rotation, node, publicKey), newProof: prove(key, 'rotate', rotation, node, publicKey),
    });
    if (answer.status === 'ok') {
      assertToken(answer.value.jwt, node, publicKey);
      return answer.value.jwt;
    }
    if (answer.status === 'refused' && answer.retryable) throw fault('unavailable', 'rotation-not-answered', answer.detail);
    logger.warn('The masters want no new key of this node', { rotation, code: answer.code, detail: answer.detail });
    return undefined;
  }

  private async report(rotation: string, key: Nkey): Promise<void> {
    const { ask, node, logger } = this.deps;
    const answer = await ask.ask('rotated', { id: ask.nextId(), rotation, publicKey: key.publicKey, proof: prove(key, 'rotated', rotation, node) });
    if (answer.status === 'ok') return;
    if (answer.status === 'refused' && answer.retryable) throw fault('unavailable', 'rotation-not-answered', answer.detail);
    logger.warn('The masters do not take note of the new key', { rotation, code: answer.code, detail: answer.detail });
  }

  private close(rotation: string): void {
    this.deps.journal.closeOrder(rotation);
    removeRotation(this.deps.state);
  }
}
