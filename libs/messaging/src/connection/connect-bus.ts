import { type ConnectionOptions, type NatsConnection, NatsError, jwtAuthenticator } from 'nats';
import { type Clock, type Dial, type Logger, fault, messageOf } from '#kernel';
import { openConnection } from './open-connection.ts';

/** Who connects: a token, possibly renewed between two connections, and the seed of its key. */
export interface BusCredential {
  /** Asked for at every (re)connection. */
  readonly jwt: () => string;
  /** A function where rotation replaces the key; asked for together with the token. */
  readonly seed: string | (() => string);
}

/** How to connect. */
export interface BusOptions {
  readonly urls: readonly string[];
  readonly credential?: BusCredential;
  /** Shown in the server's connection list. */
  readonly name: string;
  /** Agents may only listen below their own prefix. */
  readonly inboxPrefix?: string;
  /** PEM of the CA that signed the servers' certificates. */
  readonly ca?: string;
  /** How connections are opened, when not straight: for all of this process. */
  readonly dial?: Dial;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal;
  /** Called when the servers do not take the credential at the first connection; see `BusHealth.onRefused` for later ones. */
  readonly onRefused?: () => void;
  /** Asked before each try of a reconnection: true for at once, because the credential was exchanged; otherwise it waits a while. */
  readonly hurry?: () => boolean;
}

/** Codes with which the servers say that they do not take the credential. */
const refusals: ReadonlySet<string> = new Set(['AUTHORIZATION_VIOLATION', 'AUTHENTICATION_EXPIRED']);

/** True for the code, or the error, of a refused credential. */
export const isCredentialRefused = (reason: unknown): boolean => refusals.has(reason instanceof NatsError ? reason.code : String(reason));

const authenticatorOf = ({ jwt, seed }: BusCredential) => {
  const bytes = (): Uint8Array => new TextEncoder().encode(typeof seed === 'string' ? seed : seed());
  return jwtAuthenticator(jwt, bytes);
};

const attempt = (options: BusOptions): Promise<NatsConnection> => {
  const { urls, credential, name, inboxPrefix, ca, hurry, dial } = options;
  const [wait, jitter] = [1000, ca ? 5000 : 2000];
  const settings: ConnectionOptions = {
    servers: [...urls],
    name,
    ...(credential ? { authenticator: authenticatorOf(credential) } : {}),
    ...(inboxPrefix ? { inboxPrefix } : {}),
    ...(ca ? { tls: { ca } } : {}),
    // The defaults give up after ten attempts and after two refusals; we outlive every outage and a credential may be renewed.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => (hurry?.() ? 0 : wait + Math.floor(Math.random() * jitter)),
    pingInterval: 10_000,
    maxPingOut: 2,
    // A stack trace captured for every request costs more than the request.
    noAsyncTraces: true,
  };
  return openConnection(settings, dial);
};

/**
 * Connects, trying again until it succeeds: NATS may start later than we do. Every refusal is logged with its reason. The
 * connection then survives outages by itself. Rejects with the signal's reason when that is aborted first, with
 * `bus-misconfigured` when the options can never work.
 */
export const connectBus = async (options: BusOptions): Promise<NatsConnection> => {
  const { urls, clock, log, signal } = options;
  if (urls.length === 0) throw fault('validation', 'bus-misconfigured', 'Name at least one NATS URL');
  for (let failures = 0; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await attempt(options);
    } catch (error) {
      log.warn('The bus cannot be reached; trying again', { urls, reason: messageOf(error) });
      if (isCredentialRefused(error)) options.onRefused?.();
      await clock.sleep(Math.min(15_000, 250 * 2 ** Math.min(failures, 8)) * (0.8 + Math.random() * 0.4), signal);
    }
  }
};

/**
 * Connects once with a credential and hangs up: resolves when the servers take it. Throws `credential-refused`, or `bus-unreachable` when
 * nothing is known of that; both are worth another try.
 */
export const tryCredential = async (options: BusOptions): Promise<void> => {
  try {
    const connection = await attempt(options);
    await connection.flush();
    await connection.close();
  } catch (cause) {
    throw isCredentialRefused(cause)
      ? fault('unavailable', 'credential-refused', 'The bus does not take this credential; trying again', { cause })
      : fault('unavailable', 'bus-unreachable', 'The bus cannot be reached with this credential; trying again', { cause });
  }
};
