import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeClock } from '#kernel';
import { waitUntil } from '#testing';
import { acceptWork } from '../commands/accept-work.ts';
import { backupSpecification, endless, grantedClaim, runId, scratch, workbench } from '../testing.ts';
import { quietWork } from './quiet-work.ts';

let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
beforeEach(() => {
  room = scratch();
  bench = workbench(room.dir);
  bench.dataPlane.script = endless;
});
afterEach(async () => {
  await bench.scheduler.drain();
  bench.database.close();
  room.remove();
});

const specifications = {
  backup: backupSpecification(),
  restore: {
    kind: 'restore', time: '', fromNode: 'n', target: 'target_1', snapshot: 's', snapshotObject: 'snapshots/s/0', destination: '/tmp/x', mode: 'always',
    deleteExtraneous: false, dryRun: false, sealedKeys: 'x',
  },
};
const running = async (verb: 'backup' | 'restore') => {
  bench.ask.script = (_method, { id }) => ({ id, status: 'ok', value: grantedClaim('claim-1', specifications[verb]) });
  acceptWork({ protocol: 1, node: 'node_1', run: runId(1), attempt: 1, verb, issuedAt: '' }, bench.context);
  await waitUntil(() => bench.dataPlane.orders.length === 1);
};
const quiet = (): Promise<string> => quietWork({ ...bench, logger: bench.context.logger }, new AbortController().signal).then(() => 'quiet');

describe('before an agent starts anew', () => {
  it('a backup is not waited for: the next process takes it up', async () => {
    await running('backup');
    expect(await quiet()).toBe('quiet');
  });
  it('a restore is waited for to its end', async () => {
    await running('restore');
    let is = 'not yet';
    const waiting = quiet().then((word) => { is = word; });
    await waitUntil(() => (bench.clock as FakeClock).sleeping > 0);
    await (bench.clock as FakeClock).advance(60_000);
    expect(is).toBe('not yet');
    await bench.scheduler.end({ run: runId(1), attempt: 1 }, 'cancelled');
    await waitUntil(async () => { await (bench.clock as FakeClock).advance(1_000); return is === 'quiet'; });
    await waiting;
  });
});
