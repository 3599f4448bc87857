import type { Command } from '#contracts';
import type { Logger } from '#kernel';
import type { Journal } from '../state/journal.ts';
import type { Scheduler } from '../attempts/scheduler.ts';

/** All that a command may touch: it writes the order down and lets the scheduler know. */
export interface CommandContext {
  readonly journal: Journal;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Asks the masters at once what is wanted of this agent. */
  readonly askNow: () => void;
  /** A rotation was ordered. */
  readonly onRotate: () => void;
}

/** A command about an attempt of a run. */
export type RunCommand = Command & { readonly run: string; readonly attempt: number };

/** Carries out a command; when it returns, the command is in the journal and may be acknowledged. */
export type CommandHandler = (command: RunCommand, context: CommandContext) => void;
