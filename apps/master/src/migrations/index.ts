import { Platform1763730000000 } from './1763730000000-platform.ts';
import { Runs1763730000200 } from './1763730000200-runs.ts';
import { Audit1763730000300 } from './1763730000300-audit.ts';
import { Links1763730000400 } from './1763730000400-links.ts';
import { Executors1763730000500 } from './1763730000500-executors.ts';
import { NodeCredentials1763730000600 } from './1763730000600-node-credentials.ts';
import { Lifecycle1763730000700 } from './1763730000700-lifecycle.ts';
import { Placement1763730000800 } from './1763730000800-placement.ts';
import { LinkBatches1763730001000 } from './1763730001000-link-batches.ts';
import { PruneNumbers1763730001100 } from './1763730001100-prune-numbers.ts';

/** All migrations of the master's own tables, oldest first. */
export const migrations = [
  Platform1763730000000, Runs1763730000200, Audit1763730000300, Links1763730000400, Executors1763730000500, NodeCredentials1763730000600,
  Lifecycle1763730000700, Placement1763730000800, LinkBatches1763730001000, PruneNumbers1763730001100,
];
