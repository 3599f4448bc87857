import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { inboxPrefixOf } from '#identity';
import { type AppError, type Clock, type Logger, fault, randomIds } from '#kernel';
import { commandsServer, connectBus, watchBus } from '#messaging';
import { nestLogger } from '#observability';
import { AgentModule } from './agent.module.ts';
import { type AgentConfig, allowedOf } from './config.ts';
import { ChildDataPlane } from './data-plane/child-data-plane.ts';
import { answerAboutHost } from './host/host.module.ts';
import { installModeOf } from './install/install-mode.ts';
import { openDatabase } from './state/database.ts';
import { readNodeIdentity } from './state/node-identity.ts';
import { readTextFile } from './state/private-file.ts';
import { openStateDirectory } from './state/state-directory.ts';

export interface ServeOptions {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The installed file of an agent that is one file; absent otherwise. */
  readonly launcher?: string | undefined;
  /** Variables that data planes may see. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the agent: it drains, and the next start resumes. */
  readonly signal: AbortSignal;
}

/**
 * Runs the agent of an enrolled state directory until `signal` is aborted (resolves), another version is to be started in its place
 * (resolves with `restart`), or the connection is given up for ever
 * (rejects with `bus-closed`). Throws `not-enrolled`, `state-in-use` and what the identity's files have wrong.
 */
export const serve = async ({ config, launcher, clock, logger, environment, signal }: ServeOptions): Promise<'ended' | 'restart'> => {
  const state = openStateDirectory(config.stateDir);
  const identity = readNodeIdentity(state);
  const database = openDatabase(state.database);
  const { node, natsUrls } = identity.facts;
  try {
    const connection = await connectBus({
      urls: natsUrls, name: `holdfast-agent ${node}`, inboxPrefix: inboxPrefixOf(node), clock, log: logger, signal,
      // Read anew at every connection: renewal and rotation replace the file.
      credential: { jwt: () => readTextFile(state.natsJwt)?.trim() ?? identity.natsJwt, seed: identity.natsSeed },
      ...(identity.caCertificate === undefined ? {} : { ca: identity.caCertificate }),
    });
    const health = watchBus(connection, logger);
    const dataPlane = new ChildDataPlane({ clock, logger, environment, heapMb: config.heapMb });
    const restarting = new AbortController();
    const parts = {
      state, database, identity, connection, health, dataPlane, clock, ids: randomIds, logger, slots: config.slots, launcher,
      installMode: installModeOf(config), restart: () => restarting.abort(),
    };
    const strategy = commandsServer(node, { connection, clock, log: logger, concurrency: 16 });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(AgentModule.of(parts), { strategy, logger: nestLogger(logger), abortOnError: false });
    await app.listen();
    const endAnswers = await answerAboutHost({ state, identity, connection, clock, logger, allowed: allowedOf(config.browse) });
    logger.info('The agent serves', { node, server: connection.getServer() });
    const closed = await Promise.race([health.closed.then(() => true), whenAborted(AbortSignal.any([signal, restarting.signal]))]);
    await endAnswers();
    await app.close();
    if (closed) throw busClosed();
    await connection.drain();
    return restarting.signal.aborted && !signal.aborted ? 'restart' : 'ended';
  } finally {
    database.close();
  }
};

const whenAborted = (signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    signal.addEventListener('abort', () => resolve(false), { once: true });
  });

const busClosed = (): AppError =>
  fault('unavailable', 'bus-closed', 'The connection to the bus was given up; the service manager starts the agent again');
