import ignore from 'ignore';
import { fault, messageOf } from '#kernel';

/** True when the patterns leave the path out. `path` is relative to the chosen path, its bytes as a latin1 string. */
export type ExcludeMatcher = (path: string, directory: boolean) => boolean;

/**
 * gitignore patterns as a predicate, with git's meaning: the last pattern that matches decides, `!` takes back in, a slash at the end
 * means directories only, one elsewhere anchors. What lies below an excluded directory cannot be taken back in: the caller, like git,
 * does not descend. Names are compared byte by byte (patterns as UTF-8), as git does, so names that are not UTF-8 work. Case matters.
 */
export const excludeMatcher = (patterns: readonly string[]): ExcludeMatcher => {
  if (patterns.length === 0) return () => false;
  const bytes = patterns.map((pattern) => Buffer.from(pattern, 'utf8').toString('latin1'));
  try {
    const rules = ignore({ ignorecase: false, allowRelativePaths: true }).add(bytes);
    rules.ignores('probe');
    return (path, directory) => rules.ignores(directory ? `${path}/` : path);
  } catch (error) {
    throw fault('validation', 'exclude-invalid', 'An exclude pattern cannot be understood; write it as in a .gitignore file', {
      internal: messageOf(error),
    });
  }
};
