import type { Command } from 'commander';

/** Shows command lines, written without `holdfast`, behind the help of a command. Returns the command. */
export const withExamples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText('after', `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${lines.map((line) => `  holdfast ${line}`).join('\n')}`);
