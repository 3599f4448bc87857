import { acceptWork } from './accept-work.ts';
import type { CommandHandler } from './command-context.ts';

/** Work that masters do themselves: claimed and reported as failed with `verb-not-supported`, so that nobody waits for it. */
export const unsupported: CommandHandler = acceptWork;
