import { fault } from '#kernel';

const shape = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const longest = 512;

/**
 * Names are relative, `/`-separated, of `A-Z a-z 0-9 . _ -`, and no part begins with a dot: nothing can leave the store or meet
 * its temporary files. Throws `object-name-invalid`.
 */
export const checkObjectName = (name: string): string => {
  if (name.length <= longest && shape.test(name)) return name;
  throw fault('validation', 'object-name-invalid', 'An object name is relative, of letters, digits, ".", "_", "-" and "/", and no part begins with a dot');
};

/** As `checkObjectName`, for the beginning of names: may be empty, end in `/` or in the middle of a part. */
export const checkPrefix = (prefix: string): string => {
  if (prefix !== '') checkObjectName(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
};
