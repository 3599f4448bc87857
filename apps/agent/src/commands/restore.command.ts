import { acceptWork } from './accept-work.ts';
import type { CommandHandler } from './command-context.ts';

/** Restore what the claim's answer will say. */
export const restore: CommandHandler = acceptWork;
