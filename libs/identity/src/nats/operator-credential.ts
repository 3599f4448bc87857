import type { InstallationKeys } from '../keys/installation-keys.ts';
import { encodeJwt } from './jwt.ts';
import { newNkey } from './nkey.ts';

/** The two accounts that people look into. */
export type OperatorAccount = 'control' | 'system';

/**
 * What it takes to look at streams, consumers and messages, and at servers. Making a consumer is not part of it: a consumer delivers
 * to any subject of its account, into EVENTS too, from which nothing can be deleted.
 */
const looking: Readonly<Record<OperatorAccount, readonly string[]>> = {
  control: [
    '$JS.API.INFO', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST', '$JS.API.STREAM.INFO.*', '$JS.API.STREAM.MSG.GET.*', '$JS.API.DIRECT.GET.>',
    '$JS.API.CONSUMER.NAMES.*', '$JS.API.CONSUMER.LIST.*', '$JS.API.CONSUMER.INFO.*.*',
  ],
  system: ['$SYS.REQ.SERVER.PING', '$SYS.REQ.SERVER.PING.>'],
};

/** Which credential to make. */
export interface OperatorCredentialRequest {
  readonly account: OperatorAccount;
  /** All permissions of the account instead of those to look. */
  readonly all?: boolean;
  /** How long it is valid. */
  readonly hours: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * A credentials file for a person with the `nats` command line: token and secret seed, as
 * https://docs.nats.io/using-nats/developer/connecting/creds describes. It cannot be revoked, it ends by itself.
 */
export const operatorCredential = (keys: InstallationKeys, request: OperatorCredentialRequest): string => {
  const { account, all = false, hours, now } = request;
  const key = newNkey('user');
  const iat = Math.floor(now / 1000);
  const permissions = all ? {} : { pub: { allow: looking[account] }, sub: { allow: ['_INBOX.>'] } };
  const nats = { type: 'user' as const, ...permissions, subs: -1, data: -1, payload: -1, allowed_connection_types: ['STANDARD', 'WEBSOCKET'] };
  const jwt = encodeJwt({ sub: key.publicKey, name: `operator-${account}`, iat, exp: iat + Math.round(hours * 3600), nats }, keys[account]);
  return [
    '-----BEGIN NATS USER JWT-----', jwt, '------END NATS USER JWT------', '',
    '-----BEGIN USER NKEY SEED-----', key.seed, '------END USER NKEY SEED------', '',
  ].join('\n');
};
