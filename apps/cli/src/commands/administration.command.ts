import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { fault } from '#kernel';
import type { CommandContext } from '../context.ts';
import { embeddedMasterEnvironment } from '../up/master-environment.ts';
import { JobOutput } from './job-output.ts';

const environmentOf = (context: CommandContext): Readonly<Record<string, string | undefined>> => {
  if (context.setting('HOLDFAST_POSTGRES_URL') !== undefined) return context.variables;
  const data = context.dataDirectory();
  if (!existsSync(join(data, 'ports.json'))) throw fault('validation', 'no-master-known', `There is no embedded stack in ${data}: name its directory in HOLDFAST_DATA, or give this command the settings of your master`);
  return embeddedMasterEnvironment(data, context.variables['PATH'] ?? '/usr/bin:/bin');
};

/** Runs a job of the master's own program, with the settings of the environment or those of the embedded stack on this machine. Throws what the job fails with. */
const runJob = async (context: CommandContext, job: readonly string[]): Promise<void> => {
  const env = environmentOf(context);
  const program = join(context.root, 'dist', 'apps', 'master', 'src', 'main.js');
  const child = spawn(process.execPath, [program, ...job], { stdio: ['inherit', 'pipe', 'pipe'], env: { ...env } });
  const output = new JobOutput(context.output);
  createInterface(child.stdout).on('line', (line) => output.done(line));
  createInterface(child.stderr).on('line', (line) => output.said(line));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  output.end(exitCode);
};

/** `holdfast projections rebuild` and `holdfast doctor ...`: jobs for the operator of a master, on the master's own host. */
export const registerAdministration = (program: Command, context: CommandContext): void => {
  const projections = program.command('projections').description('read models, on the master\'s own host');
  projections.command('rebuild').description('make all read models anew from the archive').action(() => runJob(context, ['projections', 'rebuild']));
  const doctor = program.command('doctor').description('examine and repair an installation, on the master\'s own host');
  doctor.command('log').description('compare the log with its archive').action(() => runJob(context, ['doctor', 'log']));
  doctor.command('reappend').description('write what the log has lost again, from the archive').action(() => runJob(context, ['doctor', 'reappend']));
  doctor.command('session-secret').description('make the SESSION_SECRET of the environment the one that all masters must have')
    .action(() => runJob(context, ['doctor', 'session-secret']));
};
