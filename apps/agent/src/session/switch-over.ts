import type { NatsConnection } from 'nats';
import { type Clock, fault } from '#kernel';
import type { BusHealth } from '#messaging';
import type { AgentCredential } from './agent-credential.ts';
import type { BusGate } from './bus-gate.ts';

/** Milliseconds that a new connection may take; it goes on being tried afterwards. */
const patienceMs = 20_000;

export interface SwitchOverParts {
  readonly connection: NatsConnection;
  readonly health: BusHealth;
  readonly gate: BusGate;
  readonly credential: AgentCredential;
  readonly clock: Clock;
}

/**
 * Exchanges the connection for one with the credential that is held now. What was said before is with the server, what is said meanwhile
 * waits; subscriptions and pulls go on by themselves. Resolves at once when that credential is in use. Throws `bus-unreachable`.
 */
export const switchOver = ({ connection, health, gate, credential, clock }: SwitchOverParts): Promise<void> => gate.during(async () => {
  if (credential.isInUse && health.isConnected()) return;
  const patience = new AbortController();
  let stop: () => void = () => undefined;
  const connected = new Promise<void>((resolve) => { stop = health.onReconnect(resolve); });
  const late = clock.sleep(patienceMs, patience.signal).then(() => {
    throw fault('unavailable', 'bus-unreachable', 'The bus was not reached with the new credential; it goes on being tried');
  });
  try {
    if (health.isConnected()) await Promise.race([connection.flush().catch(() => undefined), late]);
    await connection.reconnect();
    await Promise.race([connected, late]);
  } finally {
    stop();
    patience.abort();
    late.catch(() => undefined);
  }
});
