import type { Clock } from '#kernel';
import type { ParentLink } from './parent-link.ts';

/** Puts into the run's log what this host cannot do for any entry: not a fault, and not to be found out at the next restore. */
export const noteSender = (link: ParentLink) => (code: string, detail: string): void => link.say({ type: 'log', level: 'warn', text: `${code}: ${detail}` });

/** What an engine counts; backups count stored bytes too. */
export interface EngineProgress {
  readonly phase: string;
  readonly files: number;
  readonly bytes: number;
  readonly storedBytes?: number;
  readonly totalFiles?: number;
  readonly totalBytes?: number;
  readonly estimated?: boolean;
  readonly faults: number;
  readonly current?: string;
}

/** Milliseconds between two progress messages of one phase. */
export const progressEveryMs = 1_000;

/** Passes on at most one progress a second, and the first of every phase. */
export const progressSender = (link: ParentLink, clock: Clock): ((progress: EngineProgress) => void) => {
  let last = -Infinity;
  let phase = '';
  return (progress) => {
    const now = clock.monotonic();
    if (progress.phase === phase && now - last < progressEveryMs) return;
    last = now;
    ({ phase } = progress);
    link.say({ type: 'progress', progress: { storedBytes: 0, ...progress } });
  };
};
