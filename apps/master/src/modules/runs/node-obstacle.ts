import { type Refusal, refuse } from '#kernel';
import { mayWork } from '../nodes/index.ts';
import type { NodeFacts } from './ports.ts';

/** Why no run can begin on a node, whatever the run: what dispatch goes by and what a waiting run shows. Undefined: nothing about the node. */
export const nodeObstacle = (facts: NodeFacts | undefined): Refusal | undefined => {
  const may = mayWork(facts);
  // An agent that is away may come back upgraded: that it is away says more.
  if (!may.ok && may.error !== facts?.gate) return may.error;
  if (!facts?.online) return refuse('conflict', 'node-offline', 'The node is offline; the run begins when its agent is back');
  return facts.gate;
};
