import { type Clock, type Logger, fault, messageOf } from '#kernel';
import type { InstallationKeys } from '../keys/installation-keys.ts';
import { type ClaimsOrigin, type CredentialState, accountLayout, originOf } from './accounts.ts';
import { decodeJwt } from './jwt.ts';
import { agentsToken, controlToken } from './tokens.ts';

/** The two calls to the servers' account resolver; needs a user of SYSTEM. Both throw retryable errors when it does not answer. */
export interface ClaimsResolver {
  /** The token of an account that each server holds, in any order; an empty text for a server that has none. */
  lookup(account: string): Promise<readonly string[]>;
  /** Makes the servers take a token; they take any that is signed, older ones too. */
  push(token: string): Promise<void>;
}

/** What a pass did to an account. `ahead`: the servers hold something newer than this master knows, which is left alone. */
export type ClaimsOutcome = 'unchanged' | 'pushed' | 'ahead';

/** Keeps the accounts on the servers equal to the credential events. */
export interface ClaimsReconciler {
  /** Brings CONTROL to this version's layout. Before any master connects. */
  control(): Promise<ClaimsOutcome>;
  /**
   * Brings AGENTS to the state, unless the servers know a later one. Call under the advisory lock that all masters share:
   * between looking up and pushing nobody else may push. Throws `claims-not-taken` (retryable) when the servers do not show the
   * new claims afterwards.
   */
  agents(state: CredentialState): Promise<ClaimsOutcome>;
}

/** What the reconciler needs. */
export interface ClaimsReconcilerOptions {
  readonly keys: InstallationKeys;
  readonly resolver: ClaimsResolver;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

const nothing: ClaimsOrigin = { layout: -1, sequence: -1 };

/** Later events win; of the same events the later layout. */
const compare = (a: ClaimsOrigin, b: ClaimsOrigin): number => a.sequence - b.sequence || a.layout - b.layout;

/** A reconciler over the resolver of the running servers. */
export const newClaimsReconciler = ({ keys, resolver, clock, log }: ClaimsReconcilerOptions): ClaimsReconciler => {
  const originIn = (account: string, token: string): ClaimsOrigin => {
    if (!token) return nothing;
    try {
      return originOf(decodeJwt(token).nats);
    } catch (error) {
      log.warn('A server holds claims that cannot be read; they are replaced', { account, error: messageOf(error) });
      return nothing;
    }
  };

  /** The earliest and the latest that the servers hold: one that was away may lag behind. */
  const current = async (account: string): Promise<{ first: ClaimsOrigin; last: ClaimsOrigin }> => {
    const origins = (await resolver.lookup(account)).map((token) => originIn(account, token)).sort(compare);
    return { first: origins[0] ?? nothing, last: origins.at(-1) ?? nothing };
  };

  const reconcile = async (account: string, wanted: ClaimsOrigin, token: () => string): Promise<ClaimsOutcome> => {
    const before = await current(account);
    if (compare(before.last, wanted) > 0) return 'ahead';
    if (compare(before.first, wanted) === 0) return 'unchanged';
    await resolver.push(token());
    const after = await current(account);
    if (compare(after.first, wanted) < 0) throw fault('unavailable', 'claims-not-taken', 'The NATS servers did not all take the new account claims; trying again', { internal: account });
    log.info('Account claims pushed', { account, sequence: wanted.sequence });
    return compare(after.last, wanted) > 0 ? 'ahead' : 'pushed';
  };

  return {
    control: () => reconcile(keys.control.publicKey, { layout: accountLayout, sequence: 0 }, () => controlToken(keys, clock.now())),
    agents: (state) => reconcile(keys.agents.publicKey, { layout: accountLayout, sequence: state.sequence }, () => agentsToken(keys, state, clock.now())),
  };
};
