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

/** How long, in milliseconds, an account that was just made may go without JetStream. */
const enablingMs = 30_000;

/** A server gives an account its JetStream a moment after it has taken its claims; until then it answers that nobody is there. */
const untilJetStreamAnswers = async (control: NatsConnection, clock: Clock, signal: AbortSignal): Promise<void> => {
  const giveUp = clock.monotonic() + enablingMs;
  for (;;) {
    try {
      await control.jetstreamManager({ timeout: 2_000 });
      return;
    } catch (cause) {
      if (clock.monotonic() > giveUp) throw fault('unavailable', 'jetstream-unavailable', 'JetStream does not answer in the account CONTROL; see the log of the NATS servers', { cause });
      await clock.sleep(100, signal);
    }
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
  const opened = [system];
  try {
    assertServerVersion(system);
    await assertDurable(system);
    const claims = newClaimsReconciler({ keys, resolver: natsClaimsResolver(system), clock, log: logger });
    await claims.control();
    const control = await connect('control');
    opened.push(control);
    await untilJetStreamAnswers(control, clock, signal);
    return { system, control, ca };
  } catch (error) {
    for (const connection of opened) await connection.close();
    throw error;
  }
};
