import { type CountedWork, counted, remainingMs, shareDone } from '#kernel';
import { humanBytes, humanDuration } from './format.ts';

/** Work as far as it is counted; `remainingMs` where somebody has said it already. */
export interface ShownProgress extends CountedWork {
  readonly estimated?: boolean | undefined;
  readonly remainingMs?: number | undefined;
}

/** Time, share, counts, speed and what is left, in one line. What rests on an expectation has a `~` before it. */
export const progressText = (progress: ShownProgress, elapsedMs: number): string => {
  const about = progress.estimated ? '~' : '';
  const share = shareDone(progress);
  const left = progress.remainingMs ?? remainingMs(progress, elapsedMs);
  return [
    humanDuration(elapsedMs), ...(share === undefined ? [] : [`${about}${Math.floor(100 * share)} %`]), counted(progress.files, 'file'), humanBytes(progress.bytes),
    ...(elapsedMs > 0 ? [`${humanBytes((progress.bytes * 1000) / elapsedMs)}/s`] : []), ...(left === undefined ? [] : [`${about}${humanDuration(left)} left`]),
  ].join('  ');
};
