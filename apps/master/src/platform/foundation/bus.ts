import { readFile } from 'node:fs/promises';
import type { NatsConnection } from 'nats';
import { type InstallationKeys, natsClaimsResolver, newClaimsReconciler, newMasterUser } from '#identity';
import { type Clock, type Logger, fault, messageOf } from '#kernel';
import { assertDurable, assertServerVersion, connectBus } from '#messaging';
import type { NatsConfig } from '#config';

/** What connecting to the bus needs. */
export interface BusParts {
  readonly config: NatsConfig;
  readonly keys: InstallationKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** The two connections of a master. */
export interface MasterBus {
  readonly control: NatsConnection;
  readonly system: NatsConnection;
  /** PEM of the servers' authority, where it is not a public one. */
  readonly ca: string | undefined;
}

const readCa = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw fault('validation', 'nats-ca-unreadable', `HOLDFAST_NATS_CA names a file that cannot be read (${messageOf(cause)}); correct its path or permissions`, { cause });
  }
};

/** Connects as SYSTEM, gives the account CONTROL its layout, connects as CONTROL. Waits for servers that are not there yet; refuses those that would lose what they acknowledged. */
export const connectMaster = async ({ config, keys, clock, logger, signal }: BusParts): Promise<MasterBus> => {
  const ca = await readCa(config.caFile);
  const connect = (account: 'system' | 'control'): Promise<NatsConnection> => {
    const user = newMasterUser(keys, account, `master-${account}`, clock.now());
    return connectBus({
      urls: config.urls, name: `holdfast master (${account})`, credential: { jwt: () => user.jwt, seed: user.key.seed }, clock, signal,
      log: logger.child({ account }), ...(ca ? { ca } : {}),
    });
  };
  const system = await connect('system');
  try {
    assertServerVersion(system);
    await assertDurable(system);
    const claims = newClaimsReconciler({ keys, resolver: natsClaimsResolver(system), clock, log: logger });
    await claims.control();
    return { system, control: await connect('control'), ca };
  } catch (error) {
    await system.close();
    throw error;
  }
};
