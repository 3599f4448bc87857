import { type Refusal, refuse } from '#kernel';
import { type WorkFacts, mayWork } from '../../nodes/index.ts';

/** A node that a selector matches. */
export interface Candidate extends WorkFacts {
  readonly id: string;
  readonly online: boolean;
  readonly slots: number;
  /** Runs at work there, or on their way. */
  readonly active: number;
}

/**
 * Who may begin a run now, best first. `waiting`: nobody can as all are at work. `away`: nobody is there. `none`: no node matches at all.
 */
export type Choice =
  | { readonly status: 'found'; readonly nodes: readonly string[] }
  | { readonly status: 'waiting' | 'away' | 'none'; readonly reason: Refusal };

const nobody = (status: 'waiting' | 'away' | 'none', code: string, detail: string): Choice => ({ status, reason: refuse('conflict', code, detail) });

const load = ({ active, slots }: Candidate): number => active / slots;

/**
 * The least loaded by slots first; among equals the order of `rank`, a text that stays the same for a node, so that the choice does. A node
 * that may not work, is offline or has no free slot is never among them.
 */
export const choosePlace = (candidates: readonly Candidate[], rank: (node: string) => string): Choice => {
  if (candidates.length === 0) return nobody('none', 'no-node-matches', 'No node has the labels that the task asks for; label one, or change the task');
  const able = candidates.filter((node) => mayWork(node).ok);
  if (able.length === 0) return nobody('away', 'no-node-may-work', `None of the ${candidates.length} node(s) that match may work; they are drained or not enrolled`);
  const online = able.filter((node) => node.online);
  if (online.length === 0) return nobody('away', 'nodes-offline', `All ${able.length} node(s) that match and may work are offline`);
  const free = online.filter((node) => node.active < node.slots);
  if (free.length === 0) return nobody('waiting', 'no-free-slot', `All slots of the ${online.length} node(s) that match are in use`);
  const ranks = new Map(free.map(({ id }) => [id, rank(id)]));
  const order = (a: Candidate, b: Candidate): number => load(a) - load(b) || ((ranks.get(a.id) ?? '') < (ranks.get(b.id) ?? '') ? -1 : 1);
  return { status: 'found', nodes: free.toSorted(order).map(({ id }) => id) };
};
