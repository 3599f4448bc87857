import type { NatsConnection } from 'nats';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { type CommandHandler, type EventStore, type EventTypes, commandHandler, eventsStreamConfig, jetStreamEventStore } from '#event-store';
import { type InstallationKeys, type Vault, loadKeys, newVault } from '#identity';
import { type Clock, type IdSource, type Logger, controlNode, derivedId } from '#kernel';
import { type BusHealth, newConsumers, provisionStreams, watchBus } from '#messaging';
import { type Follower, type ReadModel, createFollower, readTables } from '#projections';
import type { MasterConfig } from '../config/master.config.ts';
import { connectMaster } from './bus.ts';
import { openDatabase } from './database.ts';
import { endsInTime } from './ends-in-time.ts';

/** What the slices bring: their events, read models, tables. */
export interface Catalogue {
  readonly types: EventTypes;
  readonly readModels: readonly ReadModel[];
  readonly entities: readonly (new () => object)[];
  readonly migrations: readonly (new () => object)[];
}

/** What a process is given from outside. */
export interface Surroundings {
  readonly config: MasterConfig;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Everything below the slices, connected and ready. */
export interface Foundation extends Surroundings {
  readonly keys: InstallationKeys;
  readonly vault: Vault;
  /** Id of this installation: it follows from the keys, so all masters of one keys folder agree. */
  readonly installation: string;
  readonly bus: NatsConnection;
  readonly busHealth: BusHealth;
  readonly systemBus: NatsConnection;
  readonly natsCa: string | undefined;
  readonly database: DataSource;
  readonly pool: pg.Pool;
  readonly store: EventStore;
  readonly commands: CommandHandler;
  readonly follower: Follower;
  /** Ends the follower and the connections; the slices must have stopped. */
  close(): Promise<void>;
}

/** Id of the installation that these keys belong to. */
export const installationOf = (keys: InstallationKeys): string => derivedId('inst', keys.control.publicKey);

/**
 * Opens what a master stands on, in this order: keys, NATS (version, accounts, streams), Postgres (migrations), the log. Waits for
 * servers that are not there yet; the signal ends that. The follower is made, and started by the caller.
 */
export const openFoundation = async (surroundings: Surroundings, catalogue: Catalogue, signal: AbortSignal): Promise<Foundation> => {
  const { config, clock, logger } = surroundings;
  const keys = await loadKeys(config.keysDir);
  const installation = installationOf(keys);
  const { control, system, ca } = await connectMaster({ config: config.nats, keys, clock, logger, signal });
  const closing: [string, () => Promise<unknown>][] = [['bus', () => control.drain()], ['system bus', () => system.close()]];
  try {
    await provisionStreams(control, { events: eventsStreamConfig(config.streamReplicas), replicas: config.streamReplicas, log: logger });
    const consumers = newConsumers(control);
    await consumers.ensureReports();
    await consumers.ensureNode(controlNode);
    const { source, pool } = await openDatabase({ ...catalogue, url: config.postgres.url, clock, logger, signal });
    closing.unshift(['pool', () => pool.end()], ['database', async () => { if (source.isInitialized) await source.destroy(); }]);
    const log = { connection: control, sql: pool, types: catalogue.types, installation, clock };
    const store = jetStreamEventStore(log);
    const follower = createFollower({
      ...log, database: { connectionString: config.postgres.url }, tables: readTables(source, catalogue.readModels), logger: logger.child({ part: 'follower' }),
    });
    const commands = commandHandler(store, clock);
    // What other masters append is known here a moment later, so that decisions seldom meet an old state.
    follower.onEvents((events) => commands.observe(events));
    closing.unshift(['follower', () => follower.stop()]);
    return {
      ...surroundings, keys, installation, store, follower, pool, vault: newVault(keys.cryptoSecret), commands,
      bus: control, busHealth: watchBus(control, logger.child({ account: 'control' })), systemBus: system, natsCa: ca, database: source,
      close: async () => { for (const [part, end] of closing) await endsInTime(part, end, surroundings); },
    };
  } catch (error) {
    for (const [part, end] of closing) await endsInTime(part, end, surroundings).catch(() => undefined);
    throw error;
  }
};
