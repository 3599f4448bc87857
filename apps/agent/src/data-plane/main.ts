import { writeFileSync } from 'node:fs';
import { systemClock } from '#kernel';
import { backupWork, type WorkTools } from './backup.work.ts';
import { failedResult, type WorkOrder, type WorkResult } from './data-plane.port.ts';
import { grantedObjects } from './granted-objects.ts';
import type { ChildMessage, ParentMessage } from './messages.ts';
import { ParentLink, faultOf } from './parent-link.ts';
import { restoreWork } from './restore.work.ts';

/**
 * The data plane of one attempt: started by the agent, ordered over the channel that it was started with, ended with the attempt.
 * Without its agent it ends at once: nobody could say any more that it may go on.
 */
const channel = {
  send: (message: ChildMessage): void => { process.send?.(message); },
  onMessage: (listener: (message: ParentMessage) => void): void => { process.on('message', listener as (message: unknown) => void); },
};

const workOn = (order: WorkOrder, tools: WorkTools): Promise<WorkResult> =>
  order.specification.kind === 'backup'
    ? backupWork(order, order.specification, tools)
    : restoreWork(order, order.specification, tools);

/** The result is on its way to the agent when the callback comes; only then the process may end. */
const finish = (result: WorkResult): void => {
  process.send?.({ type: 'result', result } satisfies ChildMessage, undefined, undefined, () => process.exit(0));
};

/** When memory runs out, the kernel is to end this process and not the agent, which can tell what happened. */
const offerToKernel = (): void => {
  try {
    writeFileSync('/proc/self/oom_score_adj', '500');
  } catch {
    // Another system, or not allowed: the kernel chooses by itself.
  }
};

const ending = new AbortController();
offerToKernel();
const link = new ParentLink(channel);
process.once('disconnect', () => process.exit(1));
process.once('SIGTERM', () => ending.abort(new Error('The agent ends this attempt')));
// The terminal's Ctrl-C reaches the whole group; the agent decides what becomes of its attempts.
process.on('SIGINT', () => undefined);
channel.onMessage((message) => {
  if (message.type !== 'order') return;
  const objects = grantedObjects((requests) => link.grants(requests), systemClock, message.order.network);
  const tools = { link, objects, clock: systemClock, signal: ending.signal };
  workOn(message.order, tools).then(finish, (error: unknown) => {
    // An attempt that was ended from outside has no result of its own: the agent knows why it ended.
    if (ending.signal.aborted) process.exit(1);
    const { code, detail } = faultOf(error);
    finish(failedResult(code, detail));
  });
});
link.say({ type: 'ready' });
