import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { embeddedMasterEnvironment } from '../up/master-environment.ts';

/** Runs a job of the master's own program, with the settings of the environment or those of the embedded stack on this machine. */
const runJob = (context: CommandContext, job: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    const own = context.setting('HOLDFAST_POSTGRES_URL') !== undefined;
    const env = own ? context.variables : embeddedMasterEnvironment(context.dataDirectory(), context.variables['PATH'] ?? '/usr/bin:/bin');
    const child = spawn(process.execPath, [join(context.root, 'dist', 'apps', 'master', 'src', 'main.js'), ...job], { stdio: 'inherit', env: { ...env } });
    child.once('exit', (code) => {
      context.onExitCode(code === 0 ? exitCodes.ok : exitCodes.failed);
      resolve();
    });
  });

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
