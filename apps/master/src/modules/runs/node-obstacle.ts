import { type Refusal, refuse } from '#kernel';
import type { NodeFacts } from './ports.ts';

const waiting = (code: string, detail: string): Refusal => refuse('conflict', code, detail);

/** Why no run can begin on a node, whatever the run: what dispatch goes by and what a waiting run shows. Undefined: nothing about the node. */
export const nodeObstacle = (facts: NodeFacts | undefined): Refusal | undefined => {
  if (!facts) return waiting('node-removed', 'The node does not exist any more; cancel the run');
  if (!facts.enrolled) return waiting('node-not-enrolled', 'The node has no agent yet; enrol it with a link');
  if (facts.disabled) return waiting('node-disabled', 'The node is out of service; enable it to let runs begin');
  if (facts.drained) return waiting('node-drained', 'The node is drained; resume it to let runs begin');
  if (!facts.online) return waiting('node-offline', 'The node is offline; the run begins when its agent is back');
  return facts.gate;
};
