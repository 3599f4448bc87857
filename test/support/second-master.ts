import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresUrl } from '#embedded';
import { freePort, waitUntil } from '#testing';
import { type EmbeddedStack, root } from './embedded-stack.ts';

/** A further master on the bus, the database and the keys of a stack, started by hand as an operator would. */
export class SecondMaster {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly key: string,
  ) {}

  /** @param key an API key of the stack. @param more settings. Resolves when it serves. */
  static async start(stack: EmbeddedStack, key: string, more: Readonly<Record<string, string>> = {}): Promise<SecondMaster> {
    const ports = JSON.parse(readFileSync(join(stack.data, 'ports.json'), 'utf8')) as { readonly nats: number; readonly postgres: number };
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const log = openSync(join(stack.data, 'logs', 'second-master.log'), 'a');
    const child = spawn(join(root, 'node_modules', '.bin', 'node'), [join(root, 'dist', 'apps', 'master', 'src', 'main.js')], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'], NODE_ENV: 'production',
        HOLDFAST_NATS_URL: `nats://127.0.0.1:${ports.nats}`,
        HOLDFAST_POSTGRES_URL: postgresUrl({ port: ports.postgres, password: readFileSync(join(stack.data, 'postgres.password'), 'utf8').trim() }),
        HOLDFAST_KEYS_DIR: join(stack.data, 'keys'), HOLDFAST_DATA_DIR: join(stack.data, 'objects'),
        HOLDFAST_HTTP_HOST: '127.0.0.1', HOLDFAST_HTTP_PORT: String(port), HOLDFAST_PUBLIC_URL: url,
        // Masters that tests kill are soon believed dead.
        HOLDFAST_EXECUTOR_SILENCE: '15',
        ...more,
      },
    });
    closeSync(log);
    const master = new SecondMaster(child, url, key);
    await waitUntil(async () => (await fetch(new URL('/health/ready', url))).ok, 60_000);
    return master;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  send(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method, headers: { authorization: `Bearer ${this.key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}), signal: AbortSignal.timeout(20_000),
    });
  }

  /** Throws with the problem when it says no. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.send(method, path, body);
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** Resolves when the process has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (!this.isRunning) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }
}
