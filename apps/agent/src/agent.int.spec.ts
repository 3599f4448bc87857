import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RestoreSpecification } from '#contracts';
import { newAgeKey } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { identityKeys, sealKeys } from '#repository';
import { waitUntil } from '#testing';
import { type FakeMaster, withMaster } from './fake-master/testing.ts';
import { serve } from './serve.ts';
import { backupSpecification, runId } from './testing.ts';

let master: FakeMaster;
let dir: string;
let close: () => Promise<void>;
let state: string;
let agents: { stop: () => Promise<void> }[] = [];
beforeEach(async () => {
  ({ master, dir, close } = await withMaster());
  state = join(dir, 'state');
  await master.enrol(state);
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) await agent.stop();
  await close();
});

/** The whole agent, in this process; its data planes are processes of their own. */
const startAgent = () => {
  const ending = new AbortController();
  const config = { stateDir: state, heapMb: 256, log: { level: 'info' } } as const;
  const served = serve({ config, clock: systemClock, logger: silentLogger, environment: { PATH: '/usr/bin:/bin' }, signal: ending.signal });
  const agent = {
    stop: async () => {
      agents = agents.filter((other) => other !== agent);
      ending.abort(new Error('end'));
      await served.catch(() => undefined);
    },
  };
  agents.push(agent);
  served.catch(() => undefined);
  return agent;
};

const sourceTree = (): string => {
  const source = join(dir, 'source');
  mkdirSync(join(source, 'deep'), { recursive: true });
  writeFileSync(join(source, 'a.txt'), 'hello');
  writeFileSync(join(source, 'deep', 'b.bin'), Buffer.alloc(3_000_000, 'abcdefg'));
  return source;
};

describe('an agent on a real bus', () => {
  it('heartbeats and says who it is', async () => {
    startAgent();
    const [beat] = await waitUntil(() => master.heard.heartbeats.length > 0 && master.heard.heartbeats);
    expect(beat).toMatchObject({ key: master.node, protocol: 1, running: 0 });
    await waitUntil(() => master.asked.some(({ method }) => method === 'sync'));
    expect(master.asked.map(({ method }) => method)).toContain('self');
  });

  it('backs a directory up through grants and reports the snapshot, with progress on the way', async () => {
    const age = await newAgeKey();
    const source = sourceTree();
    const plan = backupSpecification([source]);
    master.specification = () => ({ ...plan, repository: { ...plan.repository, dataRecipients: [age.recipient] } });
    startAgent();
    await master.command(runId(1));
    const report = (await master.reported())[0]!.report as unknown as Record<string, unknown>;
    expect(report, JSON.stringify(report)).toMatchObject({ outcome: 'succeeded', claim: 'claim-1', attempt: 1, proposal: { id: runId(1).replace('run', 'snap') } });
    const { proposal } = report as { proposal: { object: { name: string }; packs: { name: string }[] } };
    expect(await master.names()).toEqual(expect.arrayContaining(['repository.json', proposal.object.name, ...proposal.packs.map(({ name }) => name)]));
    await waitUntil(() => master.heard.progress.length > 0);
  });
});
void ({} as RestoreSpecification); void identityKeys; void sealKeys;
