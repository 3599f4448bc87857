import pg from 'pg';

/**
 * A database client that may break at any moment: whoever waits for a query or a connection is told by its rejection, and a break
 * while nobody waits ends no process. Every client and pool (`Client: SteadyClient`) of a master is one.
 *
 * The plain client emits `error`, which ends a process that does not listen. A listener that is added after `await connect()`, or
 * after a pool gave a client away, comes too late when the greeting and the farewell of the server were read at once.
 * A pool still hears of its idle clients, and forgets them.
 */
export class SteadyClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => undefined);
  }
}
