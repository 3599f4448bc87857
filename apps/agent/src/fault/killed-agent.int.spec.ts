import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
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

const start = (state: string, killAt: number): ChildProcess => {
  const loader = join(import.meta.dirname, 'ts-loader.mjs');
  const child = fork(join(import.meta.dirname, 'mortal-agent.ts'), [state, String(killAt)], {
    execArgv: ['--conditions=source', '--import', loader], stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
};
const gone = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
const end = async (child: ChildProcess): Promise<void> => {
  if (gone(child)) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};
const reportsOf = async (run: string) => (await master.reports()).filter((each) => each.run === run);

describe('an agent killed with SIGKILL', () => {
  it('between any two steps of an attempt makes exactly one report, under one claim', async () => {
    const state = join(dir, 'state');
    await master.enrol(state);
    let killAt = 1;
    for (let killed = true; killed; killAt++) {
      const run = runId(killAt);
      const mortal = start(state, killAt);
      await Promise.race([once(mortal, 'message'), once(mortal, 'exit')]);
      await master.command(run);
      // Either it dies on the way, or it has nothing left to die at.
      await waitUntil(async () => gone(mortal) || ((await reportsOf(run)).length > 0 && (await acked()) && mortal.connected), 20_000);
      killed = await waitUntil(() => gone(mortal), 300).catch(() => false);
      await end(mortal);
      const heir = start(state, 0);
      await waitUntil(async () => (await reportsOf(run)).length > 0 && acked(), 20_000);
      await end(heir);
      const reports = await reportsOf(run);
      expect(reports, `killed at step ${killAt}`).toHaveLength(1);
      expect(reports[0]?.report).toMatchObject({ outcome: 'succeeded', claim: master.claims.get(`${run}.1`)?.claim });
    }
    expect(killAt).toBeGreaterThan(12);
  }, 180_000);
});

/** Every command is acknowledged: nothing will be redelivered. */
const acked = async (): Promise<boolean> => {
  const info = await (await master.bus.jetstreamManager()).consumers.info('COMMANDS', master.node);
  return info.num_pending === 0 && info.num_ack_pending === 0;
};
