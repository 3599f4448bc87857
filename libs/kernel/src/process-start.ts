import { readFileSync } from 'node:fs';

/**
 * When a process began, in ticks since the system did; undefined when there is none of this number, when it is dead and not yet buried, and
 * where there is no `/proc`. A number alone says little: it is given again, and in a container soon.
 */
export const processStart = (pid: number | string): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Its name may hold anything; the last bracket ends it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ['Z', 'X'].includes(fields[0] ?? '') ? undefined : fields[19];
  } catch {
    return undefined;
  }
};
