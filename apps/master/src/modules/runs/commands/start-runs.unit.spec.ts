import { describe, expect, it } from 'vitest';
import { commandHandler } from '#event-store';
import { silentLogger, systemClock } from '#kernel';
import { Commands, systemContext } from '../../../platform/index.ts';
import { World, definition, nodeA, taskA } from '../testing.ts';
import { taskDecider } from '../../tasks/index.ts';
import { StartRuns } from './start-runs.ts';

const reads = { waitFor: () => Promise.resolve(true) };

const world = async () => {
  const one = new World();
  const master = one.master();
  const starts = new StartRuns(new Commands(commandHandler(one.log, systemClock), reads), master.dispatch, reads, silentLogger);
  await master.deciding.execute('user:test', (unit) => unit.decide(taskDecider, taskA, { type: 'DefineTask', definition: { ...definition, overlap: 'queue' } }));
  const start = (id: string) => starts.start(systemContext(one.clock, 'test', `cmd ${id}`), async (unit) => {
    const made = await master.requests.ofTask(unit, { id, task: taskA, node: nodeA, cause: 'user', now: master.deciding.now() });
    return made.ok ? { ok: true, value: [{ run: id, node: nodeA }] } : made;
  });
  return { one, master, start };
};
const run = (digit: number): string => `run_${String(digit).repeat(20)}`;

describe('a start by somebody who waits', () => {
  it('requests and dispatches a free run in one decision, and sends it', async () => {
    const { one, start } = await world();
    await start(run(1));
    const ofRun = one.events().filter(({ event }) => ['RunRequested', 'RunDispatched', 'LaneEntered', 'LeaseTaken'].includes(event.type));
    expect(ofRun).toHaveLength(4);
    expect(new Set(ofRun.map(({ context }) => context.commandId)).size).toBe(1);
    expect(one.sent).toMatchObject([{ run: run(1), attempt: 1, verb: 'backup' }]);
  });
  it('leaves a run that something stands in the way of queued, without a trace of the attempt', async () => {
    const { one, start, master } = await world();
    await start(run(1));
    await start(run(2));
    one.nodes.set(nodeA, { enrolled: true, drained: true, online: true, slots: 2 });
    await start(run(3));
    for (const id of [run(2), run(3)]) expect(await master.deciding.run(id)).toMatchObject({ status: 'queued' });
    expect(one.events('RunDispatched')).toHaveLength(1);
    expect(one.events('LeaseTaken')).toHaveLength(1);
    expect(one.sent).toHaveLength(1);
  });
  it('whose command is lost is dispatched all the same, and sent by a later pass', async () => {
    const { one, start, master } = await world();
    one.sendFails = true;
    await start(run(1));
    expect(await master.deciding.run(run(1))).toMatchObject({ status: 'dispatched' });
    one.sendFails = false;
    await one.clock.advance(16_000);
    await master.dispatching.pass();
    expect(one.sent).toMatchObject([{ run: run(1), attempt: 1 }]);
  });
});
