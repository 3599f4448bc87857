/** A path taken apart. Bytes as latin1 strings; `directory` is empty for the top. */
export interface SafePath {
  readonly path: string;
  readonly directory: string;
  readonly name: string;
}

/** Linux' limit of a name; a longer one could not be made anyway. */
const longestName = 255;

/** Takes a manifest's path apart; a string that says what is wrong when it may not be used: absolute, empty parts, `.`, `..`, NUL. */
export const safePath = (bytes: Buffer): SafePath | string => {
  const path = bytes.toString('latin1');
  if (path === '') return 'the path is empty';
  if (path.startsWith('/')) return 'the path is absolute';
  if (path.includes('\0')) return 'the path holds a NUL byte';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return `the path has a part "${part}"`;
    if (part.length > longestName) return `a name is longer than ${longestName} bytes`;
  }
  return splitPath(path);
};

/** Directory and name of a path that is known to be safe. */
export const splitPath = (path: string): SafePath => {
  const cut = path.lastIndexOf('/');
  return { path, directory: path.slice(0, Math.max(cut, 0)), name: path.slice(cut + 1) };
};

/** Where a path lies below a directory, which is empty for the top of all; undefined for one outside. */
export const belowBase = (base: string, path: string): SafePath | undefined => {
  if (base === '') return splitPath(path);
  if (path === base) return splitPath('');
  return path.startsWith(`${base}/`) ? splitPath(path.slice(base.length + 1)) : undefined;
};

/** Joins what `splitPath` took apart. */
export const joinPath = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`);
