import type { InstallMode } from '#contracts';
import { newAgeKey, newNkey } from '#identity';
import { fault, hasCode } from '#kernel';
import type { HttpSend } from '#storage';
import { type NodeFacts, readNodeFacts, writeNodeIdentity } from '../state/node-identity.ts';
import type { StateDirectory } from '../state/state-directory.ts';
import { hostReport } from '../session/host-facts.ts';
import { postEnrolment } from './enrolment-client.ts';

export interface EnrolOptions {
  readonly state: StateDirectory;
  /** `https://...` of any master. */
  readonly master: string;
  /** Of a one-time link. */
  readonly token: string;
  /** The way to the master. */
  readonly http: HttpSend;
  /** Replaces the keys of a node that is enrolled already. */
  readonly again?: boolean;
  /** How the agent runs, for the masters to show. */
  readonly installMode: InstallMode;
}

/** Who the node is already; a damaged identity is none for those who want another one anyway. */
const factsBefore = (state: StateDirectory, again: boolean): NodeFacts | undefined => {
  try {
    return readNodeFacts(state);
  } catch (error) {
    if (again && hasCode(error, 'identity-damaged')) return undefined;
    throw error;
  }
};

/**
 * Makes the node's keys here, proves with the token that it may be that node, and writes down who it is from now on. The private
 * keys go nowhere. Throws `already-enrolled`, `other-node`, `master-unreachable` and the master's refusals.
 */
export const enrol = async ({ state, master, token, http, again = false, installMode }: EnrolOptions): Promise<string> => {
  const before = factsBefore(state, again);
  if (before && !again) {
    throw fault('conflict', 'already-enrolled', `${state.root} is ${before.node} already; add --again to replace its keys with those of a new link`);
  }
  const natsKey = newNkey('user');
  const ageKey = await newAgeKey();
  const host = hostReport(installMode);
  const answer = await postEnrolment(http, master, { token, publicKey: natsKey.publicKey, recipient: ageKey.recipient, host });
  if (before && before.node !== answer.node) {
    throw fault('conflict', 'other-node', `The link is for ${answer.node} and ${state.root} belongs to ${before.node}; use another state directory`);
  }
  const { node, natsUrls, commandKeys, installation, jwt, ca } = answer;
  writeNodeIdentity(state, {
    facts: { node, master, natsUrls, commandKeys, ...(installation === undefined ? {} : { installation }) },
    natsSeed: natsKey.seed,
    natsJwt: jwt,
    ageIdentity: ageKey.identity,
    ...(ca === undefined ? {} : { caCertificate: ca }),
  });
  return node;
};
