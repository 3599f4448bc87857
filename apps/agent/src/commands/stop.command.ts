import type { CommandHandler } from './command-context.ts';

/** End this attempt and the lower ones of its run, and report them as cancelled. Never waits for a slot. */
export const stop: CommandHandler = (command, { journal, scheduler }) => {
  const { run, attempt } = command;
  // Written down even when the order to work is not here yet: commands of different verbs may overtake each other.
  if (!journal.accept({ run, attempt }, 'stop')) return;
  for (const open of journal.open()) {
    if (open.run === run && open.attempt <= attempt) void scheduler.end(open, 'cancelled');
  }
};
