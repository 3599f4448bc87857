import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOf } from './cli.ts';
import { EmbeddedStack } from './embedded-stack.ts';
import { FurtherAgent } from './further-agent.ts';
import type { RunView } from './runs.ts';
import { SecondMaster } from './second-master.ts';

/** A run of one node that belongs to a parent run. */
export interface ChildRun extends RunView {
  readonly node: string;
  readonly parent: string;
}

/** Each ends one thing that was begun; the latest comes first. */
type Endings = readonly (() => Promise<unknown>)[];
const end = async (begun: Endings): Promise<void> => {
  for (const one of begun) await one();
};

/** What tests of placement stand on: a stack with two masters, and agents beside its own whose nodes have the label `tier=db`. */
export class SeveralAgents {
  private constructor(
    readonly stack: EmbeddedStack, readonly second: SecondMaster,
    /** Variables of a user who may do everything. */
    readonly access: Readonly<Record<string, string>>, readonly agents: readonly FurtherAgent[], private readonly begun: Endings,
  ) {}

  /** @param names of the agents. @param settings of each agent, as variables. */
  static async start(names: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<SeveralAgents> {
    const room = mkdtempSync(join(tmpdir(), 'holdfast-agents-'));
    const begun: (() => Promise<unknown>)[] = [() => Promise.resolve(rmSync(room, { recursive: true, force: true }))];
    try {
      const stack = await EmbeddedStack.start(join(room, 'data'));
      begun.unshift(() => stack.stop());
      const access = await accessOf(stack);
      const second = await SecondMaster.start(stack, access['HOLDFAST_TOKEN'] ?? '');
      begun.unshift(() => second.end('SIGKILL'));
      const agents = await Promise.all(names.map(async (name) => {
        const agent = await FurtherAgent.start(stack, name, { tier: 'db' }, settings);
        begun.unshift(() => agent.kill());
        return agent;
      }));
      return new SeveralAgents(stack, second, access, agents, begun);
    } catch (error) {
      await end(begun);
      throw error;
    }
  }

  /** Where tests may put their files. */
  get room(): string {
    return join(this.stack.data, '..');
  }

  /** The children of a parent run. */
  async children(parent: string): Promise<readonly ChildRun[]> {
    return (await this.stack.callPatiently<{ items: ChildRun[] }>('GET', `/api/v1/runs?parent=${parent}&limit=200`)).items;
  }

  /** Ends everything and removes its directory. */
  stop(): Promise<void> {
    return end(this.begun);
  }
}
