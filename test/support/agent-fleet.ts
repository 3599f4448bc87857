import 'reflect-metadata';
import { join } from 'node:path';
import { silentLogger, systemClock } from '#kernel';
import { readAgentConfig } from '../../apps/agent/src/config.ts';
import { enrol } from '../../apps/agent/src/enrol/enrol.ts';
import { httpOf } from '../../apps/agent/src/network/network.ts';
import { serve } from '../../apps/agent/src/serve.ts';
import { readNodeFacts } from '../../apps/agent/src/state/node-identity.ts';
import { openStateDirectory } from '../../apps/agent/src/state/state-directory.ts';

/** What a fleet is told over its channel: where its agents live, and the tokens of those that are no nodes yet. */
export interface FleetOrder {
  readonly master: string;
  readonly room: string;
  readonly agents: readonly { readonly name: string; readonly token: string }[];
}

/**
 * A program for tests: several agents in one process, each whole and with a state directory of its own, as fifty processes of
 * 140 MiB would not fit into the time of a test. Their data planes are processes of their own, as always.
 */
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort(new Error('The fleet ends')));
process.once('disconnect', () => process.exit(1));

const live = async ({ master, room }: FleetOrder, { name, token }: FleetOrder['agents'][number]): Promise<void> => {
  const stateDir = join(room, name);
  const state = openStateDirectory(stateDir);
  const http = httpOf({});
  if (!readNodeFacts(state)) await enrol({ state, master, token, http, installMode: 'unbuilt' });
  http.close();
  const config = readAgentConfig({ HOLDFAST_STATE_DIR: stateDir });
  await serve({ config, clock: systemClock, logger: silentLogger, signal: ending.signal, environment: { PATH: '/usr/bin:/bin' } });
};

process.once('message', (order: FleetOrder) => {
  Promise.all(order.agents.map((agent) => live(order, agent))).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
