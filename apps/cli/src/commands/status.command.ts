import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../format.ts';

interface StatusAnswer {
  readonly success: boolean;
  readonly version: string;
  readonly [part: string]: unknown;
}

/** `holdfast status`: what the master says of itself; exit code 1 when a part of it is down. */
export const registerStatus = (program: Command, context: CommandContext): void => {
  program.command('status').description('whether the master and what it rests on are well').action(async () => {
    const response = await (await context.api()).send('GET', '/api/status');
    const status = (await response.json()) as StatusAnswer;
    const rows = Object.entries(status).map(([part, value]) => [part, typeof value === 'string' ? value : JSON.stringify(value)]);
    context.output.result('status', status, table(['', ''], rows).trimStart());
    if (!response.ok || !status.success) context.onExitCode(exitCodes.failed);
  });
};
