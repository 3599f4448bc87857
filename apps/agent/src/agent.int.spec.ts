import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RestoreSpecification, type RunReport, encodeMessage, subjects } from '#contracts';
import { type AgeKey, newAgeKey, newSigningKey, openSealed, signMessage } from '#identity';
import { silentLogger, systemClock } from '#kernel';
import { identityKeys, parseObjectName, recipientOf, sealKeys } from '#repository';
import { waitUntil } from '#testing';
import { type FakeMaster, withMaster } from './fake-master/testing.ts';
import { serve } from './serve.ts';
import { backupSpecification, childEnvironment, runId } from './testing.ts';

let master: FakeMaster;
let dir: string;
let close: () => Promise<void>;
let state: string;
let recipient: AgeKey;
let agents: { stop: () => Promise<void> }[] = [];
beforeEach(async () => {
  ({ master, dir, close } = await withMaster());
  state = join(dir, 'state');
  await master.enrol(state);
  recipient = await newAgeKey();
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) await agent.stop();
  await close();
});

/** The whole agent, in this process; its data planes are processes of their own. */
const startAgent = (stateDir = state) => {
  const ending = new AbortController();
  const config = { stateDir, heapMb: 256, trialSeconds: 120, browse: ['all'], network: { direct: [], mayBeInsecure: false }, log: { level: 'info' } } as const;
  const served = serve({ config, clock: systemClock, logger: silentLogger, environment: childEnvironment, signal: ending.signal });
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

/** The agent's own program in a process of its own. */
const startProgram = (): ChildProcess => {
  const child = fork(join(import.meta.dirname, 'main.ts'), [], {
    execArgv: ['--conditions=source', '--import', join(import.meta.dirname, 'fault/ts-loader.mjs')],
    env: { ...childEnvironment, HOLDFAST_STATE_DIR: state, HOLDFAST_LOG_LEVEL: 'error' }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  agents.push({ stop: async () => { if (child.exitCode === null && child.signalCode === null) { child.kill('SIGKILL'); await once(child, 'exit'); } } });
  return child;
};

const sourceTree = (): string => {
  const source = join(dir, 'source');
  mkdirSync(join(source, 'deep'), { recursive: true });
  writeFileSync(join(source, 'a.txt'), 'hello');
  writeFileSync(join(source, 'deep', 'b.bin'), Buffer.alloc(3_000_000, 'abcdefg'));
  return source;
};

/** Every run backs this tree up. */
const backUp = (source: string): void => {
  const plan = backupSpecification([source]);
  master.specification = () => ({ ...plan, repository: { ...plan.repository, dataRecipients: [recipient.recipient] } });
};

/** No grant is given: a backup hangs in the middle of its work. */
const withholdGrants = (): void => {
  master.override = (method, id) => (method === 'grant' ? { id, status: 'refused', code: 'busy', detail: 'Later', retryable: true } : undefined);
};

const firstReport = async (): Promise<RunReport> => (await master.reported())[0]!.report;
const processes = (): number[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
const parentOf = (pid: number): number => {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
};
/** Data planes that a process has started and that live. */
const dataPlanesOf = (parent: number): number[] => processes().filter((pid) => parentOf(pid) === parent && commandOf(pid).includes('data-plane/main'));
const isAlive = (pid: number): boolean => commandOf(pid).includes('data-plane/main');

describe('an agent on a real bus', () => {
  it('a copy of its state directory says the same instance and another process, so that masters can tell them apart', async () => {
    const once = startAgent();
    const [before] = await waitUntil(() => master.heard.heartbeats.length > 0 && master.heard.heartbeats.slice());
    await once.stop();
    cpSync(state, join(dir, 'copy'), { recursive: true });
    master.heard.heartbeats.length = 0;
    startAgent();
    startAgent(join(dir, 'copy'));
    await waitUntil(() => new Set(master.heard.heartbeats.map(({ process }) => process)).size === 2);
    expect(new Set(master.heard.heartbeats.map(({ instance }) => instance))).toEqual(new Set([before?.instance]));
    expect(master.heard.heartbeats.map(({ process }) => process)).not.toContain(before?.process);
  });

  it('heartbeats and says who it is', async () => {
    startAgent();
    const [beat] = await waitUntil(() => master.heard.heartbeats.length > 0 && master.heard.heartbeats);
    expect(beat).toMatchObject({ key: master.node, protocol: 1, running: 0 });
    await waitUntil(() => master.asked.some(({ method }) => method === 'sync'));
    expect(master.asked.map(({ method }) => method)).toContain('self');
  });

  it('backs a directory up through grants and reports the snapshot, with progress on the way', async () => {
    backUp(sourceTree());
    startAgent();
    await master.command(runId(1));
    const report = await firstReport();
    expect(report, JSON.stringify(report)).toMatchObject({ outcome: 'succeeded', claim: 'claim-1', attempt: 1, proposal: { id: runId(1).replace('run', 'snap') } });
    const { object, packs } = report.proposal!;
    expect(await master.names()).toEqual(expect.arrayContaining(['repository.json', object.name, ...packs.map(({ name }) => name)]));
    await waitUntil(() => master.heard.progress.length > 0);
  });

  it('takes the id key back that a lost state directory took with it, and writes to the same repository', async () => {
    const plan = backupSpecification([sourceTree()]);
    const repository = { ...plan.repository, dataRecipients: [recipient.recipient] };
    master.specification = () => ({ ...plan, repository });
    startAgent();
    await master.command(runId(1));
    const { proposal } = await firstReport();
    const lost = readdirSync(state, { recursive: true }).map(String).filter((name) => name.endsWith('/id-key'));
    expect(lost).toHaveLength(1);
    rmSync(join(state, lost[0]!));
    master.specification = () => ({ ...plan, repository: { ...repository, id: proposal!.repositoryId } });
    await master.command(runId(2));
    expect((await master.reported(2))[1]!.report).toMatchObject({ outcome: 'failed', code: 'id-key-lost' });
    const key = await identityKeys(master.store, [recipient.identity]).get('id', proposal!.idKeyId);
    master.idKey = (await sealKeys([{ class: 'id', key }], await recipientOf(readFileSync(join(state, 'age.identity'), 'utf8')))).toString('base64');
    await master.command(runId(3));
    expect((await master.reported(3))[2]!.report).toMatchObject({ outcome: 'succeeded', proposal: { repositoryId: proposal!.repositoryId } });
  });

  it('restores what it backed up, with keys sealed to it', async () => {
    const source = sourceTree();
    backUp(source);
    startAgent();
    await master.command(runId(1));
    const { proposal } = await firstReport();
    const ring = identityKeys(master.store, [recipient.identity]);
    const keys = await Promise.all((await master.names()).flatMap((name) => {
      const parsed = parseObjectName(name);
      const of = { 'id-key': 'id', 'data-key': 'data', 'catalog-key': 'catalog' } as const;
      const keyClass = parsed && parsed.kind in of ? of[parsed.kind as keyof typeof of] : undefined;
      const keyId = name.split('/')[1] ?? '';
      return keyClass ? [ring.get(keyClass, keyId).then((key) => ({ class: keyClass, key }))] : [];
    }));
    const own = await recipientOf(readFileSync(join(state, 'age.identity'), 'utf8'));
    const destination = join(dir, 'restored');
    const specification: RestoreSpecification = {
      kind: 'restore', time: '2026-01-01T00:00:00.000Z', fromNode: master.node, target: 'target_1', snapshot: proposal!.id,
      snapshotObject: proposal!.object.name, destination, mode: 'always', deleteExtraneous: false, dryRun: false,
      sealedKeys: (await sealKeys(keys, own)).toString('base64'),
    };
    master.specification = () => specification;
    await master.command(runId(2), 'restore');
    const report = (await master.reported(2))[1]!.report;
    expect(report, JSON.stringify(report)).toMatchObject({ outcome: 'succeeded' });
    for (const name of ['a.txt', 'deep/b.bin']) expect(readFileSync(join(destination, source, name)).equals(readFileSync(join(source, name)))).toBe(true);
  });

  it('works once on a command that is delivered a thousand times', async () => {
    backUp(sourceTree());
    startAgent();
    const command = { protocol: 1, node: master.node, run: runId(1), attempt: 1, verb: 'backup', issuedAt: '' };
    const bytes = encodeMessage(signMessage(master.key, 'command', master.node, command));
    for (let i = 0; i < 1000; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => master.bus.jetstream().publish(subjects.command(master.node, 'backup'), bytes)));
    }
    const manager = await master.bus.jetstreamManager();
    await waitUntil(async () => (await manager.consumers.info('COMMANDS', master.node)).ack_floor.stream_seq === 1000, 30_000);
    await firstReport();
    expect(master.asked.filter(({ method }) => method === 'claim')).toHaveLength(1);
    expect(await master.reports()).toHaveLength(1);
  });

  it('obeys nobody but the masters of its installation', async () => {
    startAgent();
    const command = { protocol: 1, node: master.node, run: runId(1), attempt: 1, verb: 'backup', issuedAt: '' };
    const publish = (bytes: Uint8Array) => master.bus.jetstream().publish(subjects.command(master.node, 'backup'), bytes);
    await publish(encodeMessage(signMessage(newSigningKey(), 'command', master.node, command)));
    await publish(encodeMessage(signMessage(master.key, 'command', 'node_00000000000000000002', command)));
    await publish(encodeMessage(signMessage(master.key, 'answer', master.node, command)));
    await publish(Buffer.from('{"verb":"backup"}'));
    const manager = await master.bus.jetstreamManager();
    await waitUntil(async () => (await manager.consumers.info('COMMANDS', master.node)).ack_floor.stream_seq === 4);
    expect(master.asked.filter(({ method }) => method === 'claim')).toEqual([]);
  });

  it('ends a running backup when it is told to stop, and confirms it', async () => {
    backUp(sourceTree());
    withholdGrants();
    startAgent();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    const [plane] = dataPlanesOf(process.pid);
    await master.command(runId(1), 'stop');
    expect(await firstReport()).toMatchObject({ outcome: 'cancelled' });
    expect(isAlive(plane!)).toBe(false);
  });

  it('ends a fenced backup and reports nothing about it', async () => {
    backUp(sourceTree());
    withholdGrants();
    startAgent();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    const [plane] = dataPlanesOf(process.pid);
    master.override = () => undefined;
    master.fenced.add(`${runId(1)}.1`);
    await waitUntil(() => !isAlive(plane!));
    backUp(sourceTree());
    await master.command(runId(2));
    expect(await master.reported()).toEqual([expect.objectContaining({ run: runId(2) })]);
  });

  it('loses nothing when the bus is away in the middle of a backup', async () => {
    backUp(sourceTree());
    withholdGrants();
    startAgent();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    await master.nats.kill();
    await master.nats.restart();
    master.override = () => undefined;
    expect(await firstReport()).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('the process that moves the data', () => {
  it('is reported when something kills it', async () => {
    backUp(sourceTree());
    withholdGrants();
    startAgent();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    process.kill(dataPlanesOf(process.pid)[0]!, 'SIGKILL');
    expect(await firstReport()).toMatchObject({ outcome: 'failed', code: 'data-plane-killed' });
  });

  it('dies with an agent that is killed, and the next agent resumes the attempt under the same claim', async () => {
    backUp(sourceTree());
    withholdGrants();
    const program = startProgram();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'), 60_000);
    const [plane] = dataPlanesOf(program.pid!);
    program.kill('SIGKILL');
    await waitUntil(() => !isAlive(plane!));
    master.override = () => undefined;
    startAgent();
    expect(await firstReport()).toMatchObject({ outcome: 'succeeded', claim: 'claim-1' });
  });

  it('shows no key and no specification in its arguments or environment', async () => {
    backUp(sourceTree());
    withholdGrants();
    startAgent();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'));
    const [plane] = dataPlanesOf(process.pid);
    const visible = commandOf(plane!) + readFileSync(`/proc/${plane!}/environ`, 'utf8');
    for (const secret of [recipient.recipient, 'AGE-SECRET-KEY', runId(1)]) expect(visible).not.toContain(secret);
  });

  it('an orderly end of the agent leaves none behind', async () => {
    backUp(sourceTree());
    withholdGrants();
    const program = startProgram();
    await master.command(runId(1));
    await waitUntil(() => master.asked.some(({ method }) => method === 'grant'), 60_000);
    const [plane] = dataPlanesOf(program.pid!);
    program.kill('SIGTERM');
    await once(program, 'exit');
    expect([program.exitCode, isAlive(plane!)]).toEqual([0, false]);
  });
});

describe('a stolen state directory', () => {
  /** Everything in the folder, as one text of bytes. */
  const contentOf = (folder: string): Buffer => Buffer.concat(readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name)).filter((file) => existsSync(file) && statSync(file).isFile()).map((file) => readFileSync(file)));

  it('holds no key that opens a pack, and is readable by its owner only', async () => {
    backUp(sourceTree());
    const agent = startAgent();
    await master.command(runId(1));
    await firstReport();
    await agent.stop();
    const all = contentOf(state);
    const identity = readFileSync(join(state, 'age.identity'), 'utf8');
    const names = (await master.names()).filter((name) => /^(catalog-)?keys\//.test(name));
    expect(names).toHaveLength(2);
    for (const name of names) {
      const file = await master.store.get(name);
      await expect(openSealed(identity, file)).rejects.toThrow('seal-unreadable');
      const key = Buffer.from(await openSealed(recipient.identity, file));
      for (const form of [key, key.toString('hex'), key.toString('base64')]) expect(all.includes(form)).toBe(false);
    }
    expect(statSync(state).mode & 0o777).toBe(0o700);
    for (const name of ['agent.db', 'nats.seed', 'nats.jwt', 'age.identity', 'node.json']) expect(statSync(join(state, name)).mode & 0o077).toBe(0);
  });
});
