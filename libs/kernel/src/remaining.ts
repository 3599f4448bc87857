/** What was counted of work, and what there is of it as far as known. */
export interface CountedWork {
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles?: number | undefined;
  readonly totalBytes?: number | undefined;
}

/** Before that, what was done says more about the beginning than about the rest. */
const soonestMs = 2_000;

/** How much of the work is done, 0 to 1: by bytes, or by files where they hold none. Undefined while the totals are not known. */
export const shareDone = ({ files, bytes, totalFiles, totalBytes }: CountedWork): number | undefined => {
  const [done, total] = totalBytes ? [bytes, totalBytes] : [files, totalFiles ?? 0];
  return total > 0 ? Math.min(1, done / total) : undefined;
};

/** Milliseconds that the rest takes when it goes on as it went so far; undefined while nothing can be said. A guess, and never more. */
export const remainingMs = (work: CountedWork, elapsedMs: number): number | undefined => {
  const share = shareDone(work);
  return share === undefined || share === 0 || elapsedMs < soonestMs ? undefined : Math.round((elapsedMs * (1 - share)) / share);
};
