import { type NatsConnection, connect, jwtAuthenticator } from 'nats';
import { inboxPrefixOf } from '#identity';
import { fault } from '#kernel';
import type { NodeIdentity } from '../state/node-identity.ts';

/**
 * Connects to the bus with the node's own key, and goes on trying for ever: an agent outlives every outage. A credential that is
 * refused is tried again too, as it may be renewed or allowed again meanwhile.
 */
export const connectToBus = async (identity: NodeIdentity): Promise<NatsConnection> => {
  const { facts, natsJwt, natsSeed, caCertificate } = identity;
  try {
    return await connect({
      servers: [...facts.natsUrls],
      name: `holdfast-agent ${facts.node}`,
      authenticator: jwtAuthenticator(natsJwt, Buffer.from(natsSeed, 'utf8')),
      inboxPrefix: inboxPrefixOf(facts.node),
      waitOnFirstConnect: true,
      ignoreAuthErrorAbort: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 2_000,
      reconnectJitter: 2_000,
      reconnectJitterTLS: 5_000,
      pingInterval: 10_000,
      maxPingOut: 2,
      ...(caCertificate === undefined ? {} : { tls: { ca: caCertificate } }),
    });
  } catch (cause) {
    throw fault('unavailable', 'bus-unreachable', `Cannot connect to ${facts.natsUrls.join(', ')}; check the network and the node's credential`, { cause });
  }
};
