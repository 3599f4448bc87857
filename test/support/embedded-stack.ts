import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '#testing';

/** The checkout, and the built command line in it: what a user runs. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const holdfast = join(root, 'scripts', 'holdfast');

/** Processes of a stack that a test may kill. */
export const parts = ['nats', 'postgres', 'master', 'agent'] as const;
export type StackPart = (typeof parts)[number];

/** Where a stack runs, as seen by the test. */
export interface Place {
  /** The words that run a program there. */
  command(...words: string[]): [string, string[]];
  /** A URL of that host, as this one reaches it. */
  reach(url: string): string;
}

const here: Place = { command: (program = '', ...args) => [program, args], reach: (url) => url };

interface Announcement {
  readonly message_type: string;
  readonly url: string;
  readonly node: string;
  readonly data: string;
  readonly password_file: string;
}

/** Pids of the processes that `pid` has started. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === pid;
    } catch {
      return false;
    }
  }).map(Number);

/** A `holdfast up` of its own, in a directory of its own, driven from outside as a user would. */
export class EmbeddedStack {
  private constructor(
    private readonly child: ChildProcess,
    readonly announcement: Announcement,
    private readonly cookie: string,
  ) {}

  /** Starts a stack in `data` (default: a new temporary directory), on this host or another one, and resolves when it serves. */
  static async start(data = mkdtempSync(join(tmpdir(), 'holdfast-stack-')), flags: readonly string[] = [], place: Place = here): Promise<EmbeddedStack> {
    const [program, args] = place.command(holdfast, 'up', '--data', data, '--json', ...flags);
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } });
    // A test run that is broken off leaves no stack behind; the supervisor ends its parts.
    const end = (): void => void child.kill('SIGINT');
    process.once('exit', end);
    child.once('exit', () => process.removeListener('exit', end));
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => { words += chunk.toString(); });
    const announcement = await new Promise<Announcement>((resolvePromise, reject) => {
      createInterface(child.stdout).on('line', (line) => {
        const message = JSON.parse(line) as Announcement;
        if (message.message_type === 'stack') resolvePromise({ ...message, url: place.reach(message.url) });
      });
      child.once('exit', (code) => reject(new Error(`holdfast up ended with ${code}: ${words}`)));
    });
    const login = await fetch(new URL('/api/v1/sessions', announcement.url), {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'admin', password: readFileSync(announcement.password_file, 'utf8').trim() }),
    });
    return new EmbeddedStack(child, announcement, login.headers.getSetCookie().map((line) => line.split(';')[0]).join('; '));
  }

  get node(): string {
    return this.announcement.node;
  }

  get data(): string {
    return this.announcement.data;
  }

  /** Calls the REST interface as first admin; throws with the problem's code when it says no. */
  async call<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(new URL(path, this.announcement.url), {
      method, headers: { cookie: this.cookie, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}), signal: AbortSignal.timeout(20_000),
    });
    const answer: unknown = response.status === 204 ? undefined : await response.json();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  }

  /** As `call`, but goes on asking while the master is being restarted. */
  async callPatiently<T>(method: string, path: string, body?: object): Promise<T> {
    let value: T | undefined;
    await waitUntil(async () => {
      try {
        value = await this.call<T>(method, path, body);
        return true;
      } catch (error) {
        if (/answered 4\d\d/.test(String(error))) throw error;
        return false;
      }
    }, 120_000);
    return value as T;
  }

  /** Pid of a part now; undefined while it is down. */
  pidOf(part: StackPart): number | undefined {
    const file = join(this.data, 'run', `${part}.pid`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid : undefined;
  }

  /** SIGKILL, as a power cut or the kernel would. False when the part was down already. */
  kill(part: StackPart): boolean {
    const pid = this.pidOf(part);
    if (pid === undefined) return false;
    try {
      process.kill(pid, 'SIGKILL');
      return true;
    } catch {
      return false;
    }
  }

  /** Freezes a part with its children: its connections stay open and nobody answers. */
  pause(part: StackPart): void {
    this.signalTree(part, 'SIGSTOP');
  }

  /** Lets a frozen part go on. */
  resume(part: StackPart): void {
    this.signalTree(part, 'SIGCONT');
  }

  /** Pids of the processes that the agent has started: its data planes. */
  dataPlanes(): readonly number[] {
    return childrenOf(this.pidOf('agent') ?? 0);
  }

  private signalTree(part: StackPart, signal: NodeJS.Signals): void {
    const pid = this.pidOf(part);
    if (pid === undefined) throw new Error(`${part} is not running`);
    for (const one of [pid, ...childrenOf(pid)]) process.kill(one, signal);
  }

  /** Ctrl-C, or another signal; resolves when the supervisor has ended, with every process of the stack. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const ended = new Promise<number | null>((resolvePromise) => this.child.once('exit', (code) => resolvePromise(code)));
    this.child.kill(signal);
    return ended;
  }

  /** Stops the stack and removes its directory. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}
