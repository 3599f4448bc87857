import { acceptWork } from './accept-work.ts';
import type { CommandHandler } from './command-context.ts';

/** Back up what the claim's answer will say. */
export const backup: CommandHandler = acceptWork;
