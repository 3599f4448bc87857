import type { ApiClient } from '../api-client.ts';
import { humanBytes } from '../format.ts';
import type { RunView } from './run-view.ts';

/** What the last prune of a repository counted; absent until one did. Fields of `GET /api/v1/repositories`. */
export interface PruneCounts {
  readonly prunedAt?: string;
  readonly storedBytes?: number;
  readonly livePlainBytes?: number;
  readonly keptPlainBytes?: number;
  readonly compactableBytes?: number;
}

/** The repository after a prune that succeeded. Best effort: what the run itself says does not depend on it. */
export const prunedRepository = async (api: ApiClient, { kind, status, target, plan }: RunView): Promise<PruneCounts | undefined> => {
  if (kind !== 'prune' || status !== 'succeeded' || target === undefined || plan?.ofNode === undefined || plan.dryRun === true) return undefined;
  const [repository] = await api.all<PruneCounts>(`/api/v1/repositories?${new URLSearchParams({ node: plan.ofNode, target }).toString()}`).catch(() => []);
  return repository;
};

/** The numbers in words; nothing where there are none. */
export const pruneText = ({ storedBytes, livePlainBytes, compactableBytes }: PruneCounts): string | undefined =>
  storedBytes === undefined || livePlainBytes === undefined || compactableBytes === undefined
    ? undefined
    : `${humanBytes(storedBytes)} stored for ${humanBytes(livePlainBytes)} that snapshots need, compaction could free about ${humanBytes(compactableBytes)}`;
