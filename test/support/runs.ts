import { waitUntil } from '#testing';
import type { EmbeddedStack } from './embedded-stack.ts';

/** A run as the REST interface shows it; what tests look at. */
export interface RunView {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly task?: string;
  readonly snapshot?: string;
  readonly code?: string;
  readonly detail?: string;
  readonly waitingReason?: string;
  readonly progress?: { readonly phase: string; readonly files: number; readonly bytes: number };
  readonly statistics?: { readonly files: number; readonly bytes: number; readonly addedBytes: number; readonly storedBytes: number; readonly filesRead: number };
  readonly faults?: readonly { readonly path: string; readonly code: string }[];
}

const final = ['succeeded', 'partial', 'failed', 'skipped', 'cancelled', 'timed-out', 'lost'];

/** Resolves with the run as it ended; rejects with what it still waits for. */
export const runEnded = async (stack: EmbeddedStack, id: string, ms = 120_000): Promise<RunView> => {
  let run: RunView | undefined;
  try {
    await waitUntil(async () => {
      run = await stack.callPatiently<RunView>('GET', `/api/v1/runs/${id}`);
      return final.includes(run.status);
    }, ms);
  } catch (cause) {
    throw new Error(`A run has not ended: ${JSON.stringify(run)}`, { cause });
  }
  if (!run) throw new Error(`run ${id} was never seen`);
  return run;
};

/** A task for `paths` on the stack's own node and its first target. */
export const addTask = async (stack: EmbeddedStack, name: string, paths: readonly string[], more: object = {}): Promise<string> => {
  const targets = await stack.callPatiently<{ items: { id: string }[] }>('GET', '/api/v1/targets');
  const task = await stack.callPatiently<{ id: string }>('POST', '/api/v1/tasks', {
    name, node: stack.node, target: targets.items[0]?.id, source: { type: 'files', paths }, ...more,
  });
  return task.id;
};

/** Runs a task and resolves with the ended run. */
export const runTask = async (stack: EmbeddedStack, task: string): Promise<RunView> => {
  const { id } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
  return runEnded(stack, id);
};

/** Restores a snapshot on the stack's own node and resolves with the ended run. */
export const restoreTo = async (stack: EmbeddedStack, snapshot: string, destination: string, more: object = {}): Promise<RunView> => {
  const { id } = await stack.callPatiently<{ id: string }>('POST', `/api/v1/snapshots/${snapshot}:restore`, {
    node: stack.node, destination, mode: 'always', ...more,
  });
  return runEnded(stack, id);
};
