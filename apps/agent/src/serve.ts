import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { inboxPrefixOf } from '#identity';
import { type AppError, type Clock, type Logger, fault, isAppError, randomIds } from '#kernel';
import { type BusCredential, commandsServer, connectBus, tryCredential, watchBus } from '#messaging';
import { nestLogger } from '#observability';
import { AgentModule } from './agent.module.ts';
import { type AgentConfig, allowedOf } from './config.ts';
import { ChildDataPlane } from './data-plane/child-data-plane.ts';
import { answerAboutHost } from './host/host.module.ts';
import { installModeOf } from './install/install-mode.ts';
import { type NetworkSettings, dialOf, httpOf, networkOf } from './network/network.ts';
import { AgentCredential } from './session/agent-credential.ts';
import { postToMaster } from './session/master-http.ts';
import { RecoveryProcess } from './session/recovery.process.ts';
import { type AgentDatabase, openDatabase } from './state/database.ts';
import { type NodeIdentity, readNodeIdentity } from './state/node-identity.ts';
import { finishRotation } from './state/rotation-file.ts';
import { type StateDirectory, openStateDirectory } from './state/state-directory.ts';
import { StatusProcess } from './status/status.process.ts';

export interface ServeOptions {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The installed file of an agent that is one file; absent otherwise. */
  readonly launcher?: string | undefined;
  /** Variables that data planes may see. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For tests: certificates of HTTPS servers are not checked. */
  readonly insecureTls?: boolean;
  /** Ends the agent: it drains, and the next start resumes. */
  readonly signal: AbortSignal;
}

/**
 * Runs the agent of an enrolled state directory until `signal` is aborted (resolves), another version is to be started in its place
 * (resolves with `restart`), or the connection is given up for ever
 * (rejects with `bus-closed`). Throws `not-enrolled`, `state-in-use`, `identity-replaced` when somebody enrolled the directory anew, and
 * what the identity's files have wrong.
 */
export const serve = async (options: ServeOptions): Promise<'ended' | 'restart'> => {
  const { config, clock, logger, signal, insecureTls = false } = options;
  const state = openStateDirectory(config.stateDir);
  // Before anything is made in the directory of a host that is not enrolled.
  readNodeIdentity(state);
  const database = openDatabase(state.database);
  const ending = new AbortController();
  try {
    finishRotation(state);
    const identity = readNodeIdentity(state);
    const { node, master } = identity.facts;
    const network = networkOf(config.network, { ca: identity.caCertificate, insecureTls });
    const http = httpOf(network);
    const credential = new AgentCredential(state, identity);
    const recovery = new RecoveryProcess({
      state, credential, node, clock, logger, post: (path, body) => postToMaster(http, master, path, body), onReplaced: (error) => ending.abort(error),
    });
    const recovering = recovery.run(AbortSignal.any([signal, ending.signal]));
    const outcome = await work({ ...options, signal: AbortSignal.any([signal, ending.signal]) }, { state, identity, database, credential, recovery, network }).finally(() => ending.abort());
    await recovering;
    http.close();
    if (isAppError(ending.signal.reason)) throw ending.signal.reason;
    return outcome;
  } finally {
    database.close();
  }
};

interface Opened {
  readonly state: StateDirectory;
  readonly identity: NodeIdentity;
  readonly database: AgentDatabase;
  readonly credential: AgentCredential;
  readonly recovery: RecoveryProcess;
  readonly network: NetworkSettings;
}

const work = async (
  { config, launcher, clock, logger, environment, signal }: ServeOptions, { state, identity, database, credential, recovery, network }: Opened,
): Promise<'ended' | 'restart'> => {
  const { node, natsUrls } = identity.facts;
  const dial = dialOf(network);
  const bus = {
    urls: natsUrls, inboxPrefix: inboxPrefixOf(node), clock, log: logger, ...(identity.caCertificate === undefined ? {} : { ca: identity.caCertificate }), ...(dial ? { dial } : {}),
  };
  const connection = await connectBus({ ...bus, name: `holdfast-agent ${node}`, credential: credential.forBus(), signal, onRefused: () => recovery.refused(), hurry: () => credential.isNew() });
  const health = watchBus(connection, logger);
  health.onRefused(() => recovery.refused());
  health.onReconnect(() => recovery.calm());
  const dataPlane = new ChildDataPlane({ clock, logger, environment, heapMb: config.heapMb });
  const restarting = new AbortController();
  const parts = {
    state, database, identity, credential, connection, health, dataPlane, clock, ids: randomIds, logger, network, slots: config.slots, launcher,
    installMode: installModeOf(config), restart: () => restarting.abort(),
    tryCredential: (other: BusCredential) => tryCredential({ ...bus, name: `holdfast-agent-trial ${node}`, credential: other }),
  };
  const strategy = commandsServer(node, { connection, clock, log: logger, concurrency: 16 });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AgentModule.of(parts), { strategy, logger: nestLogger(logger), abortOnError: false });
  await app.listen();
  const endAnswers = await answerAboutHost({ state, identity, connection, clock, logger, allowed: allowedOf(config.browse) });
  logger.info('The agent serves', { node, server: connection.getServer() });
  const [status, over] = [new StatusProcess({ state, database, connection, health, node, clock, logger }), new AbortController()];
  const writing = status.run(over.signal);
  const closed = await Promise.race([health.closed.then(() => true), whenAborted(AbortSignal.any([signal, restarting.signal]))]);
  await endAnswers();
  await app.close();
  over.abort();
  await writing;
  status.end();
  if (closed) throw busClosed();
  await connection.drain();
  return restarting.signal.aborted && !signal.aborted ? 'restart' : 'ended';
};

const whenAborted = (signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });

const busClosed = (): AppError =>
  fault('unavailable', 'bus-closed', 'The connection to the bus was given up; the service manager starts the agent again');
