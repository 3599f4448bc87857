import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { type AppError, fault, messageOf } from '#kernel';
import { type Verb, usages } from './usage.ts';

/** The error of somebody who used a verb wrongly: `invalid-arguments`, with the verb's usage. */
export const misused = (verb: Verb, words: string, cause?: unknown): AppError => fault('validation', 'invalid-arguments', `${words}. ${usages[verb]}`, { cause });

/** The flags of one verb. Throws `invalid-arguments` with the usage. */
export const parseFlags = <T extends ParseArgsOptionsConfig>(verb: Verb, args: readonly string[], options: T) => {
  try {
    return parseArgs({ args: [...args], strict: true, options }).values;
  } catch (cause) {
    throw misused(verb, messageOf(cause), cause);
  }
};

/** A URL of a master. Throws `invalid-arguments`. */
export const masterUrl = (verb: Verb, text: string | undefined): string => {
  if (text === undefined || !URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw misused(verb, 'Say the master\'s URL with --master');
  }
  return text;
};
