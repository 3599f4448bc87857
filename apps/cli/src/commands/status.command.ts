import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../format.ts';
import type { NodeView } from './node-text.ts';

interface Indicator {
  readonly status: string;
  readonly milliseconds?: number;
  readonly detail?: string;
}

interface StatusAnswer {
  readonly success: boolean;
  readonly version: string;
  readonly indicators?: Readonly<Record<string, Indicator>>;
  readonly fleet?: { readonly outsideVersions: number; readonly clockSkewed: number; readonly duplicated: number; readonly upgradesFailed: number };
  readonly [part: string]: unknown;
}

/** The nodes that somebody should look at, by name; asked for only when the master counts any. */
const alarmsOf = async (api: ApiClient, { fleet }: StatusAnswer): Promise<readonly NodeView[]> => {
  const { outsideVersions = 0, clockSkewed = 0, duplicated = 0, upgradesFailed = 0 } = fleet ?? {};
  if (outsideVersions + clockSkewed + duplicated + upgradesFailed === 0) return [];
  return (await api.all<NodeView>('/api/v1/nodes')).filter(({ alarms }) => alarms.length > 0);
};

const indicatorText = ({ status, milliseconds, detail }: Indicator): string =>
  `${status}${milliseconds === undefined ? '' : `, ${milliseconds} ms`}${detail ? `: ${detail}` : ''}`;

/** What is counted, without what there is none of. */
const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).filter(([name, count]) => count > 0 || name === 'nodes').map(([name, count]) => `${count} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`).join(', ');

const rowsOf = ({ indicators = {}, fleet, ...rest }: StatusAnswer): string[][] => [
  ...Object.entries(rest).map(([part, value]) => [part, typeof value === 'string' ? value : JSON.stringify(value)]),
  ...Object.entries(indicators).map(([part, indicator]) => [part, indicatorText(indicator)]),
  ...(fleet ? [['fleet', countsText(fleet)]] : []),
];

/** `holdfast status`: what the master says of itself, and which nodes have alarms; exit code 1 when a part of the master is down. */
export const registerStatus = (program: Command, context: CommandContext): void => {
  program.command('status').description('whether the master and what it rests on are well').action(async () => {
    const api = await context.api();
    const response = await api.send('GET', '/api/status');
    const status = (await response.json()) as StatusAnswer;
    context.output.result('status', status, table(['', ''], rowsOf(status)).trimStart());
    for (const { id, name, alarms } of response.ok ? await alarmsOf(api, status) : []) {
      for (const { code, detail } of alarms) context.output.result('alarm', { node: id, name, code, detail }, `ALARM ${name}: ${code}: ${detail}`);
    }
    if (!response.ok || !status.success) context.onExitCode(exitCodes.failed);
  });
};
