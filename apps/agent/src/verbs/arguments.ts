import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { fault, messageOf } from '#kernel';

/** The flags of one verb. Throws `invalid-arguments` with the usage. */
export const parseFlags = <T extends ParseArgsOptionsConfig>(args: readonly string[], options: T, usage: string) => {
  try {
    return parseArgs({ args: [...args], strict: true, options }).values;
  } catch (cause) {
    throw fault('validation', 'invalid-arguments', `${messageOf(cause)}. ${usage}`, { cause });
  }
};

/** A URL of a master. Throws `invalid-arguments`. */
export const masterUrl = (text: string | undefined, usage: string): string => {
  if (text === undefined || !URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw fault('validation', 'invalid-arguments', `Say the master's URL with --master. ${usage}`);
  }
  return text;
};
