import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { type FakeMaster, withMaster } from '../fake-master/testing.ts';
import { backupSpecification, runId } from '../testing.ts';

let master: FakeMaster;
let dir: string;
let close: () => Promise<void>;
const children = new Set<ChildProcess>();
beforeAll(async () => {
  ({ master, dir, close } = await withMaster());
  master.specification = () => backupSpecification([dir]);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await close();
});

const gone = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
/** The next thing that it says; an error when it ends first, so that nobody waits for the dead. */
const answer = (child: ChildProcess): Promise<unknown> => new Promise((resolve, reject) => {
  const ended = (): void => reject(new Error(`The agent ended by itself: ${child.exitCode ?? child.signalCode}`));
  if (gone(child)) return ended();
  child.once('exit', ended).once('message', (said) => {
    child.removeListener('exit', ended);
    resolve(said);
  });
});

/** A process with an agent of this state directory. */
const start = async (state: string): Promise<ChildProcess> => {
  const child = fork(join(import.meta.dirname, 'mortal-agent.ts'), [state], {
    execArgv: ['--conditions=source', '--import', join(import.meta.dirname, 'ts-loader.mjs')], stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  await answer(child);
  return child;
};
/** Nothing of what it was told to do is left: no step follows. */
const isOver = async (child: ChildProcess): Promise<boolean> => {
  const said = answer(child).catch(() => 'ended');
  child.send('over?', () => undefined);
  return (await said) === 'over';
};
const reportsOf = async (run: string) => (await master.reports()).filter((each) => each.run === run);

/** Reported, and every command acknowledged: nothing will be delivered again. */
const settled = async (run: string): Promise<boolean> => {
  const info = await (await master.bus.jetstreamManager()).consumers.info('COMMANDS', master.node);
  return info.num_pending === 0 && info.num_ack_pending === 0 && (await reportsOf(run)).length > 0;
};

describe('an agent killed with SIGKILL', () => {
  it('between any two steps of an attempt makes exactly one report, under one claim', async () => {
    const state = join(dir, 'state');
    await master.enrol(state);
    let agent = await start(state);
    let killAt = 1;
    for (; ; killAt++) {
      const run = runId(killAt);
      agent.send(killAt);
      await answer(agent);
      await master.command(run);
      await waitUntil(async () => gone(agent) || ((await settled(run)) && (await isOver(agent))), 60_000);
      const killed = gone(agent);
      if (killed) agent = await start(state);
      await waitUntil(() => settled(run), 60_000);
      const reports = await reportsOf(run);
      expect(reports, `killed at step ${killAt}`).toHaveLength(1);
      expect(reports[0]?.report).toMatchObject({ outcome: 'succeeded', claim: master.claims.get(`${run}.1`)?.claim });
      if (!killed) break;
    }
    expect(killAt).toBeGreaterThan(12);
  }, 600_000);
});
