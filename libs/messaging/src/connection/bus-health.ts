import { Events, type NatsConnection } from 'nats';
import type { Logger } from '#kernel';
import { isCredentialRefused } from './connect-bus.ts';

/** State of a connection, for health pages and for those who must know about a reconnection. */
export interface BusHealth {
  /** False while disconnected or closed. */
  isConnected(): boolean;
  /** Resolves when the client gave the connection up for ever: the process should end and be started again. */
  readonly closed: Promise<void>;
  /** Calls back after every reconnection. Returns how to stop that. */
  onReconnect(listener: () => void): () => void;
  /** Calls back whenever the servers do not take the credential, or no longer. Returns how to stop that. */
  onRefused(listener: () => void): () => void;
}

/** Watches a connection and logs what happens to it. */
export const watchBus = (connection: NatsConnection, log: Logger): BusHealth => {
  let connected = !connection.isClosed();
  const listeners = new Set<() => void>();
  const refused = new Set<() => void>();
  const watch = async (): Promise<void> => {
    for await (const { type, data } of connection.status()) {
      if (type === Events.Disconnect) {
        connected = false;
        log.warn('Disconnected from the bus', { server: JSON.stringify(data) });
      } else if (type === Events.Reconnect) {
        connected = true;
        log.info('Connected to the bus again', { server: JSON.stringify(data) });
        for (const listener of listeners) listener();
      } else if (type === Events.Error) {
        log.warn('The bus reports an error', { error: JSON.stringify(data) });
        if (isCredentialRefused(data)) for (const listener of refused) listener();
      }
    }
  };
  void watch();
  const closed = connection.closed().then((error) => {
    connected = false;
    if (error) log.error('The connection to the bus is closed for ever', { reason: error.message });
  });
  return {
    isConnected: () => connected,
    closed,
    onReconnect: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onRefused: (listener) => {
      refused.add(listener);
      return () => refused.delete(listener);
    },
  };
};
