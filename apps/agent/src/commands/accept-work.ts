import type { AttemptKey } from '../attempts/attempt.state.ts';
import type { CommandContext, CommandHandler } from './command-context.ts';

/** Ends lower attempts of the run before the given one starts; the scheduler lets no two attempts of a run work at once. */
const supersede = (key: AttemptKey, { journal, scheduler }: CommandContext): void => {
  for (const lower of journal.openBelow(key)) void scheduler.end(lower, 'superseded');
};

/** Puts an attempt into the queue, unless a higher attempt of its run is known already. */
export const offerAttempt = (key: AttemptKey, context: CommandContext): void => {
  const { journal, scheduler } = context;
  if (journal.highestAttempt(key.run) > key.attempt) {
    journal.change(key, { type: 'forgotten', reason: 'superseded' });
    return;
  }
  supersede(key, context);
  scheduler.offer(key);
};

/** Writes an order to work down and queues it. */
export const acceptWork: CommandHandler = (command, context) => {
  const key = { run: command.run, attempt: command.attempt };
  if (context.journal.accept(key, command.verb)) offerAttempt(key, context);
};

/** Queues everything that the journal of an earlier process left unfinished. */
export const resumeWork = (context: CommandContext): void => {
  for (const { run, attempt } of context.journal.open()) offerAttempt({ run, attempt }, context);
};
