import type { TokenAnswer } from '#contracts';
import { type Clock, type Logger, fault } from '#kernel';
import { readRotation } from '../state/rotation-file.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import type { AgentCredential, TokenLife } from './agent-credential.ts';
import type { AskClient } from './ask-client.port.ts';
import { runPasses } from './passes.ts';

export interface RenewalDependencies {
  readonly state: StateDirectory;
  readonly credential: AgentCredential;
  readonly ask: AskClient;
  readonly node: string;
  readonly switchOver: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between 0 and 1. Default by chance: a fleet that was enrolled in one minute does not renew in one. */
  readonly jitter?: number;
}

/** Longest sleep: timers cannot sleep for weeks, and a clock may be set. */
const longestMs = 3_600_000;

/** When a token is to be renewed: after two thirds of its life, and up to a tenth later by chance. */
export const renewalDue = ({ issuedAt, expiresAt }: TokenLife, jitter: number): number => issuedAt + (expiresAt - issuedAt) * (2 / 3 + jitter / 10);

/** Gets a new token from the masters over the bus before the old one runs out. */
export class RenewalProcess {
  private readonly deps: RenewalDependencies;
  private readonly jitter: number;
  private notBefore = -Infinity;

  constructor(deps: RenewalDependencies) {
    this.deps = deps;
    this.jitter = deps.jitter ?? Math.random();
  }

  /** Runs until `signal` is aborted. */
  run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.deps;
    return runPasses({ pass: () => this.pass(), restMs: () => this.restMs(), failure: 'The token could not be renewed; trying again', clock, logger }, signal);
  }

  /** Renews when it is time. A rotation brings a new token by itself. */
  async pass(): Promise<void> {
    const { state, clock } = this.deps;
    if (clock.now() < this.dueAt || clock.monotonic() < this.notBefore || readRotation(state)) return;
    const before = this.deps.credential.jwt;
    const fresh = await this.askForToken();
    // The same token, or none: by the masters' clock it is not time, or never again; asked now and then.
    if (fresh === undefined || fresh === before) this.notBefore = clock.monotonic() + this.patienceMs;
  }

  private get dueAt(): number {
    const { life } = this.deps.credential;
    return life ? renewalDue(life, this.jitter) : -Infinity;
  }

  /** A tenth of the life: several tries before the end, whatever the clocks say. */
  private get patienceMs(): number {
    const { life } = this.deps.credential;
    return Math.min(longestMs, life ? (life.expiresAt - life.issuedAt) / 10 : longestMs);
  }

  private restMs(): number {
    const { clock } = this.deps;
    const rest = Math.max(this.dueAt - clock.now(), this.notBefore - clock.monotonic());
    return Math.min(longestMs, Math.max(250, rest));
  }

  private async askForToken(): Promise<string | undefined> {
    const { ask, credential, node, switchOver, logger } = this.deps;
    const id = ask.nextId();
    const { publicKey } = credential;
    const answer = await ask.ask<TokenAnswer>('renew', { id, publicKey, proof: credential.prove('renew', node, id) });
    if (answer.status === 'refused' && answer.retryable) throw fault('unavailable', 'token-not-renewed', answer.detail);
    if (answer.status !== 'ok') {
      logger.warn('The masters do not renew the token of this node', { code: answer.code, detail: answer.detail });
      return undefined;
    }
    const { jwt } = answer.value;
    // Meanwhile a rotation may have put another key in its place.
    if (credential.publicKey !== publicKey || jwt === credential.jwt) return jwt;
    credential.renew(jwt);
    logger.info('The token of this node was renewed', { expiresAt: credential.life?.expiresAt });
    await switchOver();
    return jwt;
  }
}
