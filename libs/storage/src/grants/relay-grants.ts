import { createHmac } from 'node:crypto';
import { type Clock, err, fault, ok, type Refusal, refuse, type Result, rfc3339 } from '#kernel';
import { sameBytes } from '../bytes.ts';
import { checkObjectName } from '../names.ts';
import type { GrantSigner } from './grant.port.ts';
import { boundsOf } from './write-order.ts';

/** Where relay grants lead to and what signs them. */
export interface RelayGrantOptions {
  /** At least 32 bytes; every master has the same. */
  readonly secret: Uint8Array;
  /** URL of the master as agents reach it, without a slash at the end. */
  readonly baseUrl: string;
  /** Names the repository to the relay (`A-Z a-z 0-9 . _ ~ -`): signed, and the first part of the path. */
  readonly scope: string;
}

/** What a verified relay grant permits. */
export interface RelayGrant {
  readonly method: 'PUT' | 'GET';
  readonly scope: string;
  readonly name: string;
  /** For PUT: bytes and SHA-256. */
  readonly size?: number;
  readonly sha256?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** The parts of a request that a relay grant is checked against. */
export interface RelayRequest {
  readonly method: string;
  /** Path after `/relay/`, with the query: `<scope>/<name>?e=...`. */
  readonly target: string;
  /** Value of `Content-Length`; undefined when the client sent none. */
  readonly contentLength?: number;
}

const scopeShape = /^[A-Za-z0-9._~-]{1,128}$/;

const sign = (secret: Uint8Array, grant: RelayGrant): Buffer => createHmac('sha256', secret)
  .update(`holdfast/1 relay grant\n${JSON.stringify([
    grant.method, grant.scope, grant.name, grant.expires, grant.size ?? null, grant.sha256 ? Buffer.from(grant.sha256).toString('hex') : null,
  ])}`).digest();

const queryOf = (grant: RelayGrant, signature: Buffer): URLSearchParams => {
  const query = new URLSearchParams({ e: String(grant.expires) });
  if (grant.size !== undefined) query.set('l', String(grant.size));
  if (grant.sha256) query.set('h', Buffer.from(grant.sha256).toString('hex'));
  query.set('s', signature.toString('base64url'));
  return query;
};

/**
 * Permissions to write or read one object through a master: `PUT|GET <baseUrl>/relay/<scope>/<name>?e=&l=&h=&s=`, where `s` is an
 * HMAC-SHA-256 over method, scope, name, expiry (ms), length and hash.
 */
export const relayGrantSigner = (options: RelayGrantOptions): GrantSigner => {
  const { secret, baseUrl, scope } = options;
  if (secret.length < 32 || !scopeShape.test(scope)) throw fault('internal', 'grant-malformed', 'A relay signer needs 32 secret bytes and a scope');
  return {
    issue: async (order) => {
      const { name, expires } = order;
      const write = order.access === 'write';
      const grant: RelayGrant = { method: write ? 'PUT' : 'GET', scope, name: checkObjectName(name), expires, ...(write ? boundsOf(order) : {}) };
      const url = `${baseUrl}/relay/${scope}/${name}?${queryOf(grant, sign(secret, grant)).toString()}`;
      const headers: Record<string, string> = write ? { 'content-length': String(grant.size) } : {};
      return { name, method: grant.method, url, headers, expiresAt: rfc3339(expires) };
    },
  };
};

const parse = (request: RelayRequest): { grant: RelayGrant; signature: Buffer } | undefined => {
  const url = URL.parse(`http://relay/${request.target}`);
  const path = url && /^\/([^/]+)\/(.+)$/.exec(url.pathname);
  if (!path || (request.method !== 'PUT' && request.method !== 'GET')) return undefined;
  const [, scope = '', name = ''] = path;
  const number = (key: string): number => (/^\d{1,15}$/.test(url.searchParams.get(key) ?? '') ? Number(url.searchParams.get(key)) : Number.NaN);
  const hash = url.searchParams.get('h') ?? '';
  const write = request.method === 'PUT' ? { size: number('l'), sha256: Buffer.from(hash, 'hex') } : {};
  if (request.method === 'PUT' && !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  const grant: RelayGrant = { method: request.method, scope, name, expires: number('e'), ...write };
  return { grant, signature: Buffer.from(url.searchParams.get('s') ?? '', 'base64url') };
};

/**
 * Checks a request against the grant in its URL, in constant time: signature (method, scope, name, length, hash), expiry, and for
 * PUT the announced length. The caller reads the object's bytes with `receiveObject`, which checks them.
 */
export const verifyRelayGrant = (secret: Uint8Array, clock: Clock, request: RelayRequest): Result<RelayGrant, Refusal> => {
  const parsed = parse(request);
  if (!parsed || !sameBytes(sign(secret, parsed.grant), parsed.signature)) {
    return err(refuse('forbidden', 'grant-invalid', 'This URL was not granted for this method; ask for a new grant'));
  }
  const { grant } = parsed;
  if (clock.now() >= grant.expires) return err(refuse('forbidden', 'grant-expired', 'This grant has expired; ask for a new one'));
  if (grant.method === 'PUT' && request.contentLength !== grant.size) {
    return err(refuse('validation', 'grant-length-mismatch', `Send Content-Length: ${grant.size}, as granted`));
  }
  return ok(grant);
};
