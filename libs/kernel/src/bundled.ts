import { extname } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';

/** True in the agent that is one executable file, where code has no folder of its own: everything is inside the file. */
export const isBundled = (): boolean => isSea();

/**
 * What to start a worker thread with: the file `name` beside the module `besides` (an `import.meta.url`), or, in the agent that is one
 * file, the asset of that name which `scripts/build-agent.mjs` put into it. Names are therefore unique in the whole project.
 */
export const threadEntry = (name: string, besides: string): URL =>
  isSea()
    ? new URL(`data:text/javascript;base64,${Buffer.from(getRawAsset(name)).toString('base64')}`)
    : new URL(`./${name}${extname(besides)}`, besides);
