import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder above this file with a package.json: the project's, from the sources and from the built files alike. */
const rootAbove = (folder: string): string => {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error('There is no package.json above the built files');
  return rootAbove(dirname(folder));
};

/** Folder of the project, or of what was deployed of it. */
export const projectRoot = rootAbove(import.meta.dirname);

/** Version of this master. */
export const version = (JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string }).version;
