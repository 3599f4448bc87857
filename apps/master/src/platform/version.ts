import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest package.json above this file: the project's, from the sources and from the built files alike. */
const read = (folder: string): string => {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch (error) {
    if (dirname(folder) === folder) throw error;
    return read(dirname(folder));
  }
};

/** Version of this master. */
export const version = read(import.meta.dirname);
