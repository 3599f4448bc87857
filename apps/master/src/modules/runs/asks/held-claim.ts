import type { RepositoryState } from '../../repositories/index.ts';
import type { ActiveRun, Attempt } from '../domain/run.state.ts';

/** A claim that holds: the run, its attempt and the repository as they were when it was granted. */
export interface HeldClaim {
  readonly run: ActiveRun;
  readonly attempt: Attempt & { readonly claim: string; readonly time: string };
  readonly repository: RepositoryState;
}

/** An attempt that was claimed. */
export const isClaimed = (attempt: Attempt | undefined): attempt is HeldClaim['attempt'] => attempt?.claim !== undefined && attempt.time !== undefined;
