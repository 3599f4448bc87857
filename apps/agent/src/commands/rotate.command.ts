import type { Command } from '#contracts';
import { fault } from '#kernel';
import type { CommandContext } from './command-context.ts';

/** Make a new key. Written down and left to the rotation process: never behind a backup, and once however often it is told. */
export const rotate = ({ rotation }: Command, { journal, onRotate }: CommandContext): void => {
  if (rotation === undefined) throw fault('validation', 'invalid-message', 'A rotate command must name a rotation');
  if (journal.acceptOrder(rotation, 'rotate')) onRotate();
};
