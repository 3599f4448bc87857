import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitUntil } from '#testing';
import { type EmbeddedStack, root } from './embedded-stack.ts';

/** The built agent. */
export const agentProgram = join(root, 'dist', 'apps', 'agent', 'src', 'main.js');

/** A node as the interface shows it. */
export interface ShownNode {
  readonly presence: string;
  readonly version?: string;
  readonly alarms: readonly { readonly code: string }[];
  readonly upgrade?: { readonly status: string; readonly stage?: string; readonly code?: string; readonly version: string };
  readonly host?: { readonly installMode?: string };
  readonly heartbeat?: { readonly skewMs: number };
}

/** The stack that a host belongs to, and the directory for its state. */
export interface HostPlace {
  readonly stack: EmbeddedStack;
  readonly room: string;
}

/** A host of its own, as far as an agent can tell: a state directory, and the words that start its agent. */
export class AgentHost {
  private child: ChildProcess | undefined;
  state: string;

  private constructor(private readonly place: HostPlace, name: string, private readonly words: readonly [string, ...string[]], readonly node: string) {
    this.state = join(place.room, name);
  }

  /** @param words a program and its first arguments; default: the built agent. */
  static async make(place: HostPlace, name: string, words: readonly [string, ...string[]] = [process.execPath, agentProgram]): Promise<AgentHost> {
    const { id } = await place.stack.call<{ id: string }>('POST', '/api/v1/nodes', { name });
    const host = new AgentHost(place, name, words, id);
    await host.enrol();
    return host;
  }

  /** Spends the token of a link; without one a link is made. */
  async enrol(given?: string): Promise<void> {
    const token = given ?? (await this.place.stack.call<{ token: string }>('POST', '/api/v1/enrolment-links', { node: this.node })).token;
    const [file, ...first] = this.words;
    // Not synchronously: connections to the master that are idle meanwhile would be closed unseen.
    await promisify(execFile)(file, [...first, 'enrol', '--master', this.place.stack.announcement.url, '--state', this.state], {
      env: { PATH: process.env['PATH'], HOLDFAST_ENROL_TOKEN: token },
    });
  }

  start(): void {
    const [file, ...first] = this.words;
    const env = { PATH: '/usr/bin:/bin', HOLDFAST_STATE_DIR: this.state, HOLDFAST_AGENT_TRIAL_SECONDS: '20', HOLDFAST_LOG_LEVEL: 'warn' };
    this.child = spawn(file, first, { env, stdio: ['ignore', 'ignore', 'ignore'] });
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.child || !this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }

  now(): Promise<ShownNode> {
    return this.place.stack.callPatiently<ShownNode>('GET', `/api/v1/nodes/${this.node}`);
  }

  until(check: (node: ShownNode) => boolean, ms = 60_000): Promise<unknown> {
    return waitUntil(async () => check(await this.now()), ms);
  }

  /** What lies in its state directory about upgrades. */
  record(): { readonly current?: { readonly version: string }; readonly order?: { readonly stage: string; readonly tries: number } } {
    const file = join(this.state, 'upgrade.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
  }
}
