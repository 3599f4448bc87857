import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '#testing';
import { root } from './embedded-stack.ts';

const program = join(root, 'dist', 'apps', 'master', 'src', 'main.js');
const password = 'correct horse battery staple';

/** The only master of an installation, as a process: what it does not do, nobody does. */
export class LoneMaster {
  private child: ChildProcess | undefined;
  private cookie = '';

  /** @param settings those of a master, without port and first admin. @param log its output goes there. */
  constructor(private readonly settings: Readonly<Record<string, string>>, private readonly port: number, private readonly log: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the process; it may die at once, so whoever needs it served waits for `served`. */
  start(): void {
    const log = openSync(this.log, 'a');
    this.child = spawn(join(root, 'node_modules', '.bin', 'node'), [program], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], NODE_ENV: 'production', HOLDFAST_HTTP_PORT: String(this.port),
        HOLDFAST_FIRST_ADMIN_PASSWORD: password, ...this.settings,
      },
    });
    closeSync(log);
  }

  /** Resolves when it serves; logs in the first time. */
  async served(): Promise<this> {
    await waitUntil(async () => (await fetch(`${this.url}/health/ready`)).ok, 60_000);
    if (this.cookie === '') {
      const login = await this.send('POST', '/api/v1/sessions', { name: 'admin', password });
      this.cookie = login.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    }
    return this;
  }

  /** SIGKILL; resolves when nothing of it is left. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Rejects when the master dies meanwhile; throws with the problem when it says no. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await this.send(method, path, body);
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  }

  private send(method: string, path: string, body?: object): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method, headers: { cookie: this.cookie, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}), signal: AbortSignal.timeout(60_000),
    });
  }
}
