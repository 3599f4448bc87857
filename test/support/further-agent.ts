import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitUntil } from '#testing';
import { type EmbeddedStack, root } from './embedded-stack.ts';

const program = join(root, 'dist', 'apps', 'agent', 'src', 'main.js');
const node = join(root, 'node_modules', '.bin', 'node');

type Settings = Readonly<Record<string, string>>;

/** One more agent of a stack on this machine, with a state directory of its own, enrolled and started by hand. */
export class FurtherAgent {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly stack: EmbeddedStack, readonly node: string, readonly name: string, private readonly state: string, private readonly settings: Settings,
  ) {}

  /** Adds a node with these labels, enrols and starts its agent with these settings; resolves when it is online. */
  static async start(stack: EmbeddedStack, name: string, labels: Settings, settings: Settings = {}): Promise<FurtherAgent> {
    const { id } = await stack.callPatiently<{ id: string }>('POST', '/api/v1/nodes', { name, labels });
    const { token } = await stack.callPatiently<{ token: string }>('POST', '/api/v1/enrolment-links', { node: id });
    const state = join(stack.data, `agent-${name}`);
    // Not synchronously: connections to the master that are idle meanwhile would be closed unseen.
    await promisify(execFile)(node, [program, 'enrol', '--master', stack.announcement.url, '--state', state], { env: { PATH: process.env['PATH'], HOLDFAST_ENROL_TOKEN: token } });
    const agent = new FurtherAgent(stack, id, name, state, settings);
    await agent.up();
    return agent;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async presence(): Promise<string> {
    return (await this.stack.callPatiently<{ presence: string }>('GET', `/api/v1/nodes/${this.node}`)).presence;
  }

  /** Starts the agent and resolves when its node is online. */
  async up(): Promise<void> {
    const log = openSync(join(this.stack.data, 'logs', `${this.name}.log`), 'a');
    this.child = spawn(node, [program], { stdio: ['ignore', log, log], env: { PATH: process.env['PATH'], NODE_ENV: 'production', HOLDFAST_STATE_DIR: this.state, ...this.settings } });
    closeSync(log);
    await waitUntil(async () => (await this.presence()) === 'online', 60_000);
  }

  /** Ends the agent at once, as a power cut would; its node is offline a while later. */
  async kill(): Promise<void> {
    if (!this.child || !this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  /** Ends the agent and resolves when the masters know that its node is offline. */
  async away(): Promise<void> {
    await this.kill();
    await waitUntil(async () => (await this.presence()) === 'offline', 60_000);
  }
}
