import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

/** `holdfast repo ...`: the engine on its own, with no master and no NATS. Each command loads what it needs when it is used. */
export const registerRepoCommands = async (program: Command, context: CommandContext): Promise<void> => {
  const repo = program.command('repo').description('repositories without a master: make, back up, look, restore, verify, prune');
  const [create, backup, look, restore, keep] = await Promise.all([
    import('./create.command.ts'), import('./backup.command.ts'), import('./look.command.ts'), import('./restore.command.ts'),
    import('./keep.command.ts'),
  ]);
  create.registerCreate(repo, context);
  backup.registerBackup(repo, context);
  look.registerLook(repo, context);
  restore.registerRestore(repo, context);
  keep.registerKeep(repo, context);
};
