import { expect } from 'vitest';
import { type ArchivedEvent, runEvents } from './archive.ts';
import type { EmbeddedStack } from './embedded-stack.ts';

const claimEnds = ['RunSucceeded', 'RunPartiallySucceeded', 'RunFailed', 'RunSkipped', 'RunCancelled', 'RunTimedOut', 'RunLost', 'RunRetried'];

/** Of one run: at most one live claim at any instant, at most one snapshot, none claimed at the end. */
export const checkHistory = (events: readonly ArchivedEvent[]): void => {
  let live: unknown;
  let snapshots = 0;
  for (const event of events) {
    if (event.type === 'RunStarted') {
      expect(live, `${event.aggregate_id}: a second claim while one lives`).toBeUndefined();
      live = event.data['claim'];
    }
    if (claimEnds.includes(event.type)) live = undefined;
    if (event.type === 'SnapshotRecorded') snapshots += 1;
  }
  expect(snapshots, `${events[0]?.aggregate_id}: snapshots`).toBeLessThanOrEqual(1);
  expect(live, `${events[0]?.aggregate_id}: still claimed at the end`).toBeUndefined();
};

/** Checks every run of the stack that has ended by now. */
export const checkHistories = async (stack: EmbeddedStack): Promise<void> => {
  for (const history of Object.values(Object.groupBy(await runEvents(stack), (event) => event.aggregate_id))) checkHistory(history ?? []);
};

/** Types of the events of one run, in order. */
export const eventTypes = async (stack: EmbeddedStack, run: string): Promise<string[]> =>
  (await runEvents(stack)).filter((event) => event.aggregate_id === run).map((event) => event.type);
