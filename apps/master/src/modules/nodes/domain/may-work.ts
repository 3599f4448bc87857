import { type Refusal, type Result, err, ok, refuse } from '#kernel';

/** What of a node decides whether new runs may begin there, whether it is there at the moment or not. */
export interface WorkFacts {
  readonly enrolled: boolean;
  readonly drained: boolean;
  /** Out of service. Absent: not. */
  readonly disabled?: boolean;
  /** Why an agent of its version gets no work; absent when it does. */
  readonly gate?: Refusal;
}

const no = (code: string, detail: string): Result<undefined, Refusal> => err(refuse('conflict', code, detail));

/**
 * Whether new runs may begin on the node; refused with the reason why not. Undefined: it was removed. Everything that keeps a node from
 * work belongs here: what dispatches, what chooses nodes and what shows why a run waits ask this and nothing else. Presence is not part
 * of it: a node that may work can be offline.
 */
export const mayWork = (node: WorkFacts | undefined): Result<undefined, Refusal> => {
  if (!node) return no('node-removed', 'The node does not exist any more; cancel the run');
  if (!node.enrolled) return no('node-not-enrolled', 'The node has no agent yet; enrol it with a link');
  if (node.disabled) return no('node-disabled', 'The node is out of service; enable it to let runs begin');
  if (node.drained) return no('node-drained', 'The node is drained; resume it to let runs begin');
  return node.gate ? err(node.gate) : ok(undefined);
};

/**
 * Codes of `mayWork` that no rule for nodes that are away applies to: nothing is made for such a node, and each run that is not made for it is recorded as
 * skipped. All others (drained, without an agent, of another version) are like being offline: the rule of the task decides.
 */
export const outOfServiceCodes: ReadonlySet<string> = new Set(['node-removed', 'node-disabled']);

/** Codes of `mayWork`. */
export const mayNotWorkCodes: ReadonlySet<string> =
  new Set(['node-removed', 'node-not-enrolled', 'node-disabled', 'node-drained', 'agent-too-old', 'agent-too-new']);
