import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppError, controlNode, derivedId, hasCode, messageOf, rfc3339 } from '#kernel';
import { asksServer, commandsServer, reportsServer } from '#messaging';
import { type Metrics, nestLogger } from '#observability';
import { AppModule } from './app.module.ts';
import { catalogue } from './catalogue.ts';
import { installationDecider } from './modules/installation/index.ts';
import { publicUrlOf } from './platform/config/master.config.ts';
import { type Foundation, type Surroundings, openFoundation } from './platform/foundation/foundation.ts';
import { endsInTime } from './platform/foundation/ends-in-time.ts';
import { checkSessionSecret, sessionSecretOf } from './platform/foundation/session-secret.ts';
import { commandContext } from './platform/http/command-context.ts';
import { plainInput } from './platform/http/plain-input.ts';
import { secureHeaders } from './platform/http/secure-headers.ts';
import { answerUnread } from './platform/http/unread-request.ts';
import { serveOpenApi } from './platform/openapi/openapi.ts';
import { METRICS } from './platform/tokens.ts';
import { version } from './platform/version.ts';

/** A master at work. */
export interface Master {
  /** Where it listens: `http://host:port`. */
  readonly url: string;
  readonly foundation: Foundation;
  /** Resolves when the bus was given up for ever; the process should end and be started again. */
  readonly lost: Promise<void>;
  /** Takes no more requests, finishes those at hand, hands everything back. */
  stop(): Promise<void>;
}

/** Milliseconds that requests at hand get when the master stops. */
const drainMs = 10_000;

/** Appends the first event of the log, if it is not there. A log that differs from its archive is said, and fenced until an operator acts. */
const createInstallation = async ({ commands, clock, logger, installation }: Foundation): Promise<void> => {
  const context = commandContext({ time: rfc3339(clock.now()), actor: 'system:start', commandId: derivedId('cmd', 'installation', installation) });
  try {
    const created = await commands.execute(context, (unit) => unit.decide(installationDecider, installation, { type: 'CreateInstallation', version }));
    if (!created.ok) throw new AppError(created.error);
  } catch (error) {
    if (!hasCode(error, 'log-diverged')) throw error;
    logger.error('nothing will be written', { code: error.code, detail: error.detail });
  }
};

const createApp = async (foundation: Foundation): Promise<NestExpressApplication> => {
  const { config, logger } = foundation;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(foundation), { logger: nestLogger(logger), bodyParser: false, abortOnError: false });
  app.useBodyParser('json', { limit: '1mb', strict: true });
  app.set('trust proxy', config.http.trustedProxies);
  app.set('etag', false);
  app.disable('x-powered-by');
  app.use(secureHeaders);
  app.use(plainInput);
  if (config.apiDocs) serveOpenApi(app);
  return app;
};

/** Reports, questions and the masters' own commands come over the bus. */
const connect = (app: NestExpressApplication, { logger, clock, bus, keys }: Foundation): void => {
  const log = logger.child({ part: 'bus' });
  const reports = app.get<Metrics>(METRICS).counter({ name: 'holdfast_reports_total', help: 'Reports of agents by how they were settled', labels: ['outcome'] });
  app.connectMicroservice({ strategy: reportsServer({ connection: bus, clock, log, onOutcome: (outcome) => reports.inc({ outcome }) }) });
  app.connectMicroservice({ strategy: asksServer({ connection: bus, clock, log }, keys.commandSigning) });
  app.connectMicroservice({ strategy: commandsServer(controlNode, { connection: bus, clock, log }) });
};

const listen = async (app: NestExpressApplication, { config }: Foundation): Promise<string> => {
  await app.startAllMicroservices();
  await app.listen(config.http.port, config.http.host);
  const server = app.getHttpServer();
  // An object of 64 MiB may come over a slow line; headers may not.
  server.requestTimeout = 30 * 60_000;
  server.headersTimeout = 60_000;
  server.on('clientError', answerUnread);
  return app.getUrl();
};

/** Ends `app`: requests at hand get a while, then their connections are cut. */
const closeApp = async (app: NestExpressApplication, foundation: Foundation): Promise<void> => {
  const { clock } = foundation;
  const patience = new AbortController();
  void clock.sleep(drainMs, patience.signal).then(() => app.getHttpServer().closeAllConnections(), () => undefined);
  await endsInTime('application', () => app.close(), foundation);
  patience.abort();
};

/** Starts a master: foundation, first event, the session secret of the others, read models, slices, HTTP. Rejects with nothing left open. */
export const startMaster = async (surroundings: Surroundings, signal: AbortSignal): Promise<Master> => {
  const foundation = await openFoundation(surroundings, catalogue, signal);
  const { logger, config } = foundation;
  const opened: NestExpressApplication[] = [];
  const stop = async (): Promise<void> => {
    for (const app of opened) await closeApp(app, foundation);
    await foundation.close();
  };
  try {
    await createInstallation(foundation);
    // After it: a database of another installation is the graver mistake, and has its own sentence.
    await checkSessionSecret(foundation.pool, sessionSecretOf(config, foundation.keys), foundation.clock);
    await foundation.follower.start();
    const app = await createApp(foundation);
    opened.push(app);
    connect(app, foundation);
    const url = await listen(app, foundation);
    logger.info('master is ready', { url, publicUrl: publicUrlOf(config), installation: foundation.installation, version });
    return { url, foundation, lost: foundation.busHealth.closed, stop };
  } catch (error) {
    await stop().catch((cause: unknown) => logger.error('the master could not be stopped', { error: messageOf(cause) }));
    throw error;
  }
};
