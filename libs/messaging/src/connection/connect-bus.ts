import { type NatsConnection, connect, jwtAuthenticator } from 'nats';
import { type Clock, type Logger, fault, messageOf } from '#kernel';

/** Who connects: a token, possibly renewed between two connections, and the seed of its key. */
export interface BusCredential {
  /** Asked for at every (re)connection. */
  readonly jwt: () => string;
  readonly seed: string;
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
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal;
}

const attempt = (options: BusOptions): Promise<NatsConnection> => {
  const { urls, credential, name, inboxPrefix, ca } = options;
  return connect({
    servers: [...urls],
    name,
    ...(credential ? { authenticator: jwtAuthenticator(credential.jwt, new TextEncoder().encode(credential.seed)) } : {}),
    ...(inboxPrefix ? { inboxPrefix } : {}),
    ...(ca ? { tls: { ca } } : {}),
    // The defaults give up after ten attempts and after two refusals; we outlive every outage and a credential may be renewed.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 1000,
    reconnectJitter: 2000,
    reconnectJitterTLS: 5000,
    pingInterval: 10_000,
    maxPingOut: 2,
    // A stack trace captured for every request costs more than the request.
    noAsyncTraces: true,
  });
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
      await clock.sleep(Math.min(15_000, 250 * 2 ** Math.min(failures, 8)) * (0.8 + Math.random() * 0.4), signal);
    }
  }
};
