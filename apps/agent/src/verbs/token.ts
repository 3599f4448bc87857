import { readFileSync } from 'node:fs';
import { fault } from '#kernel';

/** Where the token of a link may stand. */
export interface TokenFlags {
  /** `-`: the standard input. */
  readonly token?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

export const tokenOptions = { token: { type: 'string' }, 'token-file': { type: 'string' } } as const;

const readToken = (file: string): string => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').trim();
  } catch (cause) {
    throw fault('validation', 'token-unreadable', `The token cannot be read from ${file === '-' ? 'the standard input' : file}`, { cause });
  }
};

/** What a person is told who let the token be seen. */
export const seenToken = 'A token among the arguments can be read by every user of this host; prefer --token-file FILE or --token - (standard input)';

/**
 * The token of a one-time link: from a file, the standard input, the argument, or `HOLDFAST_ENROL_TOKEN` (`given`). What stands among
 * the arguments is wiped from where other users can read it, and `warn` is told. Undefined when there is none.
 */
export const tokenOf = ({ token, 'token-file': file }: TokenFlags, given: string | undefined, warn: (words: string) => void): string | undefined => {
  if (file !== undefined || token === '-') return readToken(file ?? '-');
  if (token === undefined) return given;
  // On Linux the title takes the place of the arguments in /proc.
  process.title = 'holdfast-agent';
  warn(seenToken);
  return token;
};
