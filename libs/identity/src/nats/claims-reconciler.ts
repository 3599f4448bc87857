import { type Clock, type Logger, fault, messageOf } from '#kernel';
import type { InstallationKeys } from '../keys/installation-keys.ts';
import { type ClaimsOrigin, type CredentialState, accountLayout, originOf } from './accounts.ts';
import { decodeJwt } from './jwt.ts';
import { agentsToken, controlToken } from './tokens.ts';

/** The servers of a cluster, by name. */
export interface KnownServers {
  /** Those that answer now. */
  readonly present: readonly string[];
  /** Members of the cluster that do not: they are down, or cut off. They are asked again when they are back. */
  readonly away: readonly string[];
}

/** The calls to the servers' account resolver; needs a user of SYSTEM. All throw retryable errors when nobody answers. */
export interface ClaimsResolver {
  servers(): Promise<KnownServers>;
  /** The token of an account that each server keeps on its disk, in any order; an empty text for a server that has none, nothing of one that cannot read what it keeps. `expected` answers are waited for, within bounds. */
  lookup(account: string, expected?: number): Promise<readonly string[]>;
  /** Makes the servers take a token; they take any that is signed, older ones too. Returns the names of those that did; throws `claims-refused` when none does, `claims-unavailable` when none answers. */
  push(token: string, expected?: number): Promise<readonly string[]>;
}

/** What a pass did to an account. `ahead`: the servers hold something newer than this master knows, which is left alone. */
export type ClaimsOutcome = 'unchanged' | 'pushed' | 'ahead';

/** Which servers hold the claims, as of the last pass. */
export interface ClaimsCoverage {
  readonly current: readonly string[];
  /** They answer and do not hold them: a revocation is not in force there. */
  readonly behind: readonly string[];
  readonly away: readonly string[];
}

/** Keeps the accounts on the servers equal to the credential events. */
export interface ClaimsReconciler {
  /** Brings CONTROL to this version's layout, on every server. Before any master connects, and again: a server may lose what it kept. */
  control(): Promise<ClaimsOutcome>;
  /**
   * Brings AGENTS to the state on every server, unless they know a later one. Call under the advisory lock that all masters share:
   * between looking up and pushing nobody else may push. Throws `claims-not-taken` (retryable) when a server that answers does not
   * show the new claims afterwards. One that is away is no failure: it is brought up to date by the pass that finds it back.
   */
  agents(state: CredentialState): Promise<ClaimsOutcome>;
  /** What the last passes found, for both accounts together; undefined before the first. */
  coverage(): ClaimsCoverage | undefined;
}

/** What the reconciler needs. */
export interface ClaimsReconcilerOptions {
  readonly keys: InstallationKeys;
  readonly resolver: ClaimsResolver;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

/** What the servers hold of an account. */
interface Held {
  readonly first: ClaimsOrigin;
  readonly last: ClaimsOrigin;
  readonly answers: number;
}

const nothing: ClaimsOrigin = { layout: -1, sequence: -1 };

/** Later events win; of the same events the later layout. */
const compare = (a: ClaimsOrigin, b: ClaimsOrigin): number => a.sequence - b.sequence || a.layout - b.layout;

const notTaken = (behind: readonly string[], account: string) => fault(
  'unavailable', 'claims-not-taken', `The account claims are not on every NATS server (${behind.join(', ')}), so a revocation may not be in force there; it is tried again`,
  { internal: account },
);

/** Both accounts together: a server is current when it holds both. */
const merge = (found: readonly ClaimsCoverage[]): ClaimsCoverage | undefined => {
  const latest = found.at(-1);
  if (!latest) return undefined;
  const behind = [...new Set(found.flatMap((one) => one.behind))].sort();
  return { current: latest.current.filter((name) => !behind.includes(name)), behind, away: latest.away };
};

/** A reconciler over the resolver of the running servers. */
export const newClaimsReconciler = ({ keys, resolver, clock, log }: ClaimsReconcilerOptions): ClaimsReconciler => {
  const covered = new Map<string, ClaimsCoverage>();
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
  const current = async (account: string, servers: number): Promise<Held> => {
    const origins = (await resolver.lookup(account, servers)).map((token) => originIn(account, token)).sort(compare);
    return { first: origins[0] ?? nothing, last: origins.at(-1) ?? nothing, answers: origins.length };
  };

  const cover = (account: string, { present, away }: KnownServers, behind: readonly string[]): void => {
    covered.delete(account);
    covered.set(account, { current: present.filter((name) => !behind.includes(name)), behind, away });
  };

  const pushTo = async (account: string, servers: KnownServers, wanted: ClaimsOrigin, token: string): Promise<ClaimsOutcome> => {
    const { present } = servers;
    const took = await resolver.push(token, present.length).catch((error: unknown) => {
      cover(account, servers, present);
      throw error;
    });
    const after = await current(account, present.length);
    if (after.answers < present.length || compare(after.first, wanted) < 0) {
      const refusing = present.filter((name) => !took.includes(name));
      // Where all say that they took it and one does not show it, nobody can tell which.
      const behind = refusing.length > 0 ? refusing : present;
      cover(account, servers, behind);
      throw notTaken(behind, account);
    }
    cover(account, servers, []);
    log.info('Account claims pushed', { account, sequence: wanted.sequence, servers: present });
    return compare(after.last, wanted) > 0 ? 'ahead' : 'pushed';
  };

  const reconcile = async (account: string, wanted: ClaimsOrigin, token: () => string): Promise<ClaimsOutcome> => {
    const servers = await resolver.servers();
    const before = await current(account, servers.present.length);
    if (compare(before.last, wanted) > 0) {
      cover(account, servers, []);
      return 'ahead';
    }
    if (before.answers < servers.present.length || compare(before.first, wanted) < 0) return pushTo(account, servers, wanted, token());
    cover(account, servers, []);
    return 'unchanged';
  };

  return {
    control: () => reconcile(keys.control.publicKey, { layout: accountLayout, sequence: 0 }, () => controlToken(keys, clock.now())),
    agents: (state) => reconcile(keys.agents.publicKey, { layout: accountLayout, sequence: state.sequence }, () => agentsToken(keys, state, clock.now())),
    coverage: () => merge([...covered.values()]),
  };
};
