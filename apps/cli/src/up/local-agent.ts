import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fault, messageOf } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import type { StackLayout } from './layout.ts';

interface LocalAgent {
  readonly api: ApiClient;
  readonly url: string;
  readonly layout: StackLayout;
  /** The agent's main file. */
  readonly program: string;
  readonly path: string;
  readonly hostName: string;
}

/** Id of the node that a state directory belongs to; undefined when it is not enrolled. */
const enrolledNode = (state: string): string | undefined => {
  const file = join(state, 'node.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { node: string }).node : undefined;
};

/** The token goes in through the environment of the child: arguments are there for every user of the host to read. */
const enrol = ({ url, layout, program, path }: LocalAgent, token: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const env = { PATH: path, HOLDFAST_ENROL_TOKEN: token };
    execFile(process.execPath, [program, 'enrol', '--master', url, '--state', layout.agent], { env, timeout: 60_000 }, (error, _out, words) => {
      if (!error) return resolve();
      return reject(fault('refused', 'enrolment-failed', `This host could not be enrolled: ${words.trim() || messageOf(error)}`, { cause: error }));
    });
  });

/** Enrols this host as a node at the first start; resolves with the node's id. */
export const enrolLocalAgent = async (agent: LocalAgent): Promise<string> => {
  const known = enrolledNode(agent.layout.agent);
  if (known) return known;
  const nodes = await agent.api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes');
  const node = nodes.find((one) => one.name === agent.hostName) ?? (await agent.api.post<{ readonly id: string }>('/api/v1/nodes', { name: agent.hostName }));
  const link = await agent.api.post<{ readonly token: string }>('/api/v1/enrolment-links', { node: node.id });
  await enrol(agent, link.token);
  return node.id;
};
