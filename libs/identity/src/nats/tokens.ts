import type { InstallationKeys } from '../keys/installation-keys.ts';
import { type CredentialState, agentsAccount, controlAccount, systemAccount } from './accounts.ts';
import { encodeJwt } from './jwt.ts';
import { type Nkey, isNkey, newNkey } from './nkey.ts';
import { nodeUserClaims } from './permissions.ts';
import { fault } from '#kernel';

const day = 86_400;
const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Days that a node's token is valid by default: short enough to keep revocation lists short, long enough for a laptop on holiday. */
const nodeTokenDays = 30;

/** A node's token as it travels to the node; not secret without the node's private key. */
export interface NodeToken {
  readonly jwt: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** What to issue a node's token for. */
export interface NodeTokenRequest {
  readonly nodeId: string;
  /** `U...`, made on the node. */
  readonly publicKey: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Default 30 days. */
  readonly lifeSeconds?: number;
}

/** Signs the token of a node. Throws `invalid-nkey` or `invalid-node-id`. */
export const issueNodeToken = (keys: Pick<InstallationKeys, 'agents'>, request: NodeTokenRequest): NodeToken => {
  const { nodeId, publicKey, now, lifeSeconds = nodeTokenDays * day } = request;
  if (!isNkey('user', publicKey)) throw fault('validation', 'invalid-nkey', 'Send the public NATS key of the node: it begins with U and has 56 characters');
  const iat = seconds(now);
  const exp = iat + Math.floor(lifeSeconds);
  return { jwt: encodeJwt({ sub: publicKey, name: nodeId, iat, exp, nats: nodeUserClaims(nodeId) }, keys.agents), expiresAt: exp * 1000 };
};

/** A user of CONTROL or SYSTEM: the key never leaves the process that made it, so the token needs no end. */
export interface MasterUser {
  readonly jwt: string;
  readonly key: Nkey;
}

/** Makes a user for this process with all permissions of the account. */
export const newMasterUser = (keys: InstallationKeys, account: 'control' | 'system', name: string, now: number): MasterUser => {
  const key = newNkey('user');
  const nats = { type: 'user' as const, subs: -1, data: -1, payload: -1, allowed_connection_types: ['STANDARD'] };
  return { key, jwt: encodeJwt({ sub: key.publicKey, name, iat: seconds(now), nats }, keys[account]) };
};

/** The operator's token for nats.conf. Needs the operator's seed. */
export const operatorToken = (keys: Pick<InstallationKeys, 'operatorSigning' | 'system'>, operator: Nkey, now: number): string => encodeJwt({
  sub: operator.publicKey, name: 'holdfast', iat: seconds(now),
  nats: { type: 'operator', signing_keys: [keys.operatorSigning.publicKey], system_account: keys.system.publicKey },
}, operator);

/** The token of SYSTEM, which nats.conf holds. */
export const systemToken = (keys: InstallationKeys, now: number): string =>
  encodeJwt({ sub: keys.system.publicKey, name: 'SYSTEM', iat: seconds(now), nats: systemAccount() }, keys.operatorSigning);

/** The token of CONTROL. */
export const controlToken = (keys: InstallationKeys, now: number): string =>
  encodeJwt({ sub: keys.control.publicKey, name: 'CONTROL', iat: seconds(now), nats: controlAccount(keys.agents.publicKey) }, keys.operatorSigning);

/** The token of AGENTS: the same state gives the same claims on every master. */
export const agentsToken = (keys: InstallationKeys, state: CredentialState, now: number): string =>
  encodeJwt({ sub: keys.agents.publicKey, name: 'AGENTS', iat: seconds(now), nats: agentsAccount(keys.control.publicKey, state) }, keys.operatorSigning);
