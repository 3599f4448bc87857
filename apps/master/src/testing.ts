import { type TestOperatorNats, type TestDatabase, removeTempDir, startDatabase, startNats, tempDir } from '#testing';
import { type Clock, type Logger, randomIds, silentLogger, systemClock } from '#kernel';
import { readConfig } from '#config';
import { type Master, startMaster } from './application.ts';
import { MasterConfig } from './platform/config/master.config.ts';

/** Password of the first admin of a test. */
export const adminPassword = 'correct horse battery staple';

/** A real bus and database, and masters on them. */
export interface TestStack {
  readonly nats: TestOperatorNats;
  /** Settings of its masters, as variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** Starts one more master; `variables` beside those of the stack. */
  master(options?: { readonly clock?: Clock; readonly logger?: Logger; readonly variables?: Readonly<Record<string, string>> }): Promise<Master>;
  /** Ends the masters that still run, and the servers. */
  stop(): Promise<void>;
}

/** Starts nats-server in operator mode, with a database of its own or the one given (which it ends); masters are started by the test. */
export const startStack = async (given?: TestDatabase): Promise<TestStack> => {
  const [nats, postgres, dataDir] = await Promise.all([startNats({ operatorMode: true }), given ?? startDatabase(), tempDir('master')]);
  const masters: Master[] = [];
  const variables = {
    HOLDFAST_NATS_URL: nats.url, HOLDFAST_POSTGRES_URL: postgres.url, HOLDFAST_KEYS_DIR: nats.keysDir, HOLDFAST_DATA_DIR: dataDir,
    HOLDFAST_HTTP_PORT: '0', HOLDFAST_FIRST_ADMIN_PASSWORD: adminPassword,
  };
  return {
    nats,
    variables,
    master: async ({ clock = systemClock, logger = silentLogger, variables: more = {} } = {}) => {
      const config = readConfig(MasterConfig, { ...variables, ...more });
      const started = await startMaster({ config, clock, ids: randomIds, logger }, new AbortController().signal);
      const master: Master = { ...started, stop: () => {
        masters.splice(masters.indexOf(master), 1);
        return started.stop();
      } };
      masters.push(master);
      return master;
    },
    stop: async () => {
      for (const master of [...masters]) await master.stop();
      await Promise.all([nats.stop(), postgres.stop()]);
      removeTempDir(dataDir);
    },
  };
};

/** A client of one master: JSON in, JSON out, with the session of a log-in. */
export class TestClient {
  private cookie = '';

  constructor(readonly url: string) {}

  /** The `Cookie` header of the log-in. */
  get session(): string {
    return this.cookie;
  }

  async login(name = 'admin', password = adminPassword): Promise<this> {
    const answer = await this.call('POST', '/api/v1/sessions', { name, password });
    this.cookie = answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    return this;
  }

  call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(this.cookie ? { cookie: this.cookie } : {}), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async json<T = Record<string, unknown>>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const answer = await this.call(method, path, body, headers);
    const text = await answer.text();
    return (text === '' ? {} : JSON.parse(text)) as T;
  }
}
