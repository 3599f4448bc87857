import { randomBytes } from 'node:crypto';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '#kernel';
import { identityKeys, packNames, runRestore, verifyRepository } from '#repository';
import { compareTrees } from '#sources';
import { fsStore, type ObjectStore } from '#storage';
import { faultyStore } from '#storage/testing';
import { tempDir, waitUntil } from '#testing';
import type { Master } from '../../../application.ts';
import { TestClient, type TestStack, startStack } from '../../../testing.ts';
import { StoredTargetAccess } from '../adapters/target-access.adapter.ts';
import type { RunDetailAnswer } from '../http/run.dto.ts';
import { ScriptedAgent } from '../scripted-agent/testing.ts';

/** A master whose clock a test can move: what a process sees that was stopped for a while. */
interface Moved { readonly master: Master; readonly clock: Clock; jump: number }
/** A step of a prune, on the store. */
interface Step { readonly operation: 'put' | 'delete'; readonly prefix: string; readonly when: 'before' | 'after' }
/** Where a prune stands still, for as long as its work goes on or until it is let go. */
interface Trap { readonly step: Step; readonly at: (clock: Clock) => void; readonly go: Promise<void> }

describe('prune by two masters', () => {
  let stack: TestStack;
  let agent: ScriptedAgent;
  let apis: TestClient[];
  let masters: Moved[];
  let target: string;
  let task: string;
  let repository: string;
  let source: string;
  let trap: Trap | undefined;
  let removed: string[] = [];
  const copies = new Map<string, string>();
  let count = 0;
  let lossy: ((store: ObjectStore) => ObjectStore) | undefined;

  const start = async (port = '0'): Promise<Moved> => {
    const moved = { jump: 0 };
    const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + moved.jump };
    const master = await stack.master({ clock, variables: { HOLDFAST_HTTP_PORT: port, HOLDFAST_EXECUTOR_SILENCE: '15' } });
    return Object.assign(moved, { master, clock });
  };

  /** The store as the master of this clock meets it. */
  const trapped = (store: ObjectStore, clock: Clock): ObjectStore => {
    const hold = async (operation: Step['operation'], name: string, when: Step['when'], signal: AbortSignal | undefined): Promise<void> => {
      const set = trap;
      if (set?.step.operation !== operation || set.step.when !== when || !name.startsWith(set.step.prefix)) return;
      trap = undefined;
      set.at(clock);
      await new Promise<void>((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        void set.go.then(resolve);
      });
    };
    return {
      ...store,
      put: async (name, body, options) => {
        await hold('put', name, 'before', options.signal);
        const outcome = await store.put(name, body, options);
        await hold('put', name, 'after', options.signal);
        return outcome;
      },
      delete: async (name, options) => {
        await hold('delete', name, 'before', options?.signal);
        removed.push(name);
        await store.delete(name, options);
        await hold('delete', name, 'after', options?.signal);
      },
    };
  };

  beforeAll(async () => {
    const open: StoredTargetAccess['open'] = Reflect.get(StoredTargetAccess.prototype, 'open');
    vi.spyOn(StoredTargetAccess.prototype, 'open').mockImplementation(async function (this: StoredTargetAccess, ...place) {
      const opened = await open.apply(this, place);
      const clock = Reflect.get(this, 'clock') as Clock;
      return { ...opened, store: trapped(lossy ? lossy(opened.store) : opened.store, clock) };
    });
    stack = await startStack();
    masters = await Promise.all([start(), start()]);
    apis = await Promise.all(masters.map(({ master }) => new TestClient(master.url).login()));
    agent = await ScriptedAgent.enrol(apis[0]!, stack, 'db1');
    target = (await apis[0]!.json<{ id: string }>('POST', '/api/v1/targets', { name: 'disk', kind: 'builtin' })).id;
    source = join(await tempDir('source'), 'data');
    await mkdir(source);
    const made = await apis[0]!.json<{ id: string }>('POST', '/api/v1/tasks', {
      name: 'kept', nodes: [agent.node], target, source: { type: 'files', paths: [source] }, retention: { keepLast: 2 },
    });
    task = made.id;
    for (let i = 0; i < 3; i++) await backup();
    const { items } = await apis[0]!.json<{ items: { id: string }[] }>('GET', '/api/v1/repositories');
    repository = items[0]!.id;
  }, 120_000);
  afterAll(async () => {
    await agent?.close();
    await stack?.stop();
    vi.restoreAllMocks();
  });

  const shown = (run: string) => apis[0]!.json<RunDetailAnswer>('GET', `/api/v1/runs/${run}`);
  const ended = (run: string) => waitUntil(async () => {
    const found = await shown(run);
    return ['succeeded', 'partial', 'failed', 'lost', 'cancelled'].includes(found.status) && found;
  }, 60_000);

  /** Both threads of the writer get some of either kind into their pack: what stays, and what is another content the next time. */
  const claimBackup = async () => {
    count++;
    for (let i = 0; i < 4; i++) {
      await writeFile(join(source, `changes-${i}.bin`), randomBytes(600_000));
      await writeFile(join(source, `stays-${count}-${i}.bin`), randomBytes(600_000));
    }
    const { id } = await apis[count % 2]!.json<{ id: string }>('POST', `/api/v1/tasks/${task}:run`);
    return agent.claim(id);
  };
  const finishBackup = async (held: Awaited<ReturnType<typeof claimBackup>>): Promise<void> => {
    const made = await agent.backup(held);
    const copy = join(await tempDir('copy'), 'data');
    await cp(source, copy, { recursive: true, preserveTimestamps: true });
    copies.set(made.proposal.id, copy);
    agent.report(held.run, made);
    expect(await ended(held.run)).toMatchObject({ status: 'succeeded' });
  };
  const backup = async (): Promise<void> => finishBackup(await claimBackup());
  const prune = (by: number) => apis[by]!.json<{ id: string }>('POST', `/api/v1/repositories/${repository}:prune`, {}).then(({ id }) => id);

  /** Holds the next prune at a step; resolves with the clock of the master that works on it. */
  const trapAt = (step: Step) => {
    let go: () => void = () => undefined;
    const released = new Promise<void>((resolve) => { go = resolve; });
    const reached = new Promise<Clock>((resolve) => { trap = { step, at: resolve, go: released }; });
    return { reached, go };
  };

  /** As if the silence of the master at work on this run had lasted. */
  const believeDead = async (run: string): Promise<void> => {
    await masters[0]!.master.foundation.pool.query(
      "update live.executors set beat_at = now() - interval '1 hour', believed_until = now() - interval '1 minute' where instance = (select instance from read.runs where id = $1)", [run]);
  };

  const recorded = () => waitUntil(async () => {
    const { items } = await apis[1]!.json<{ items: { id: string; object: string }[] }>('GET', `/api/v1/snapshots?node=${agent.node}`);
    return items.length === 2 && items;
  });

  /** What everything is about: each recorded snapshot is whole, and is what was backed up. */
  const allIsWell = async (): Promise<void> => {
    const store = fsStore(join(stack.variables['HOLDFAST_DATA_DIR']!, 'targets', target, agent.node));
    const keys = identityKeys(store, [masters[0]!.master.foundation.keys.data.identity!]);
    const snapshots = await recorded();
    expect(await verifyRepository({ store, level: 3, keys, workers: 0 })).toMatchObject({ outcome: 'intact', findings: [], checked: { snapshots: 2 } });
    for await (const { name } of store.list('snapshots/')) {
      const id = name.split('/')[1]!;
      expect(snapshots.map((snapshot) => snapshot.id)).toContain(id);
      const destination = join(await tempDir('restored'), 'out');
      expect(await runRestore({ reader: store, keys, snapshotObject: name, packs: packNames(store), destination, mode: 'always' })).toMatchObject({ outcome: 'succeeded' });
      expect(await compareTrees(join(destination, source), copies.get(id)!, { top: false })).toMatchObject({ identical: true, files: expect.any(Number) });
      await rm(destination, { recursive: true });
    }
  };

  it('waits for backups at work, whichever master was asked, and the two prunes do not meet', async () => {
    const held = await claimBackup();
    const runs = await Promise.all([prune(0), prune(1)]);
    await waitUntil(async () => (await Promise.all(runs.map(shown))).every((run) => run.waitingCode === 'repository-busy'), 20_000);
    await finishBackup(held);
    expect(await Promise.all(runs.map(ended))).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
    const { rows } = await masters[0]!.master.foundation.pool.query<{ type: string; data: { run: string; mode?: string } }>(
      "select type, data from archive.events where aggregate_type = 'repository' and aggregate_id = $1 order by sequence", [repository]);
    const leases = new Map<string, string>();
    for (const { type, data } of rows) {
      if (type === 'LeaseTaken') leases.set(data.run, data.mode!);
      if (type === 'LeaseReleased') leases.delete(data.run);
      if ([...leases.values()].includes('exclusive')) expect(leases.size).toBe(1);
      if (['PruneMarked', 'DeletionStarted', 'RepositoryPruned'].includes(type)) expect(leases.get(data.run)).toBe('exclusive');
    }
    await allIsWell();
  }, 120_000);

  it.each<Step>([
    { operation: 'put', prefix: 'packs/', when: 'after' },
    { operation: 'delete', prefix: 'packs/', when: 'after' },
  ])('a master that ends in the middle of it ($when the first $operation of $prefix) costs nothing: another one finishes', async (step) => {
    await backup();
    const { reached } = trapAt(step);
    const run = await prune(0);
    const at = await reached;
    const ending = masters.findIndex(({ clock }) => clock === at);
    const port = new URL(masters[ending]!.master.url).port;
    await masters[ending]!.master.stop();
    masters[ending] = await start(port);
    await believeDead(run);
    expect(await ended(run)).toMatchObject({ status: 'succeeded', attempts: [{ status: 'lost' }, { status: 'succeeded' }] });
    await allIsWell();
  }, 120_000);

  it('a store that fails between the steps ends the prune, and the next one finishes', async () => {
    await backup();
    lossy = (store) => faultyStore(store, ({ operation, name }) => (operation === 'delete' && name.startsWith('packs/') ? { when: 'after' } : undefined));
    const failed = await ended(await prune(0));
    lossy = undefined;
    expect(failed).toMatchObject({ status: 'failed', code: 'storage-unavailable' });
    expect(await ended(await prune(1))).toMatchObject({ status: 'succeeded' });
    await allIsWell();
  }, 120_000);

  it('a master that was stopped for a while in the middle of it deletes nothing more when it goes on', async () => {
    await backup();
    const { reached, go } = trapAt({ operation: 'delete', prefix: 'snapshots/', when: 'before' });
    const run = await prune(0);
    const at = await reached;
    masters.find(({ clock }) => clock === at)!.jump += 60_000;
    // It says again that it lives, as a process does that goes on: what it had begun must not go on all the same.
    await waitUntil(() => hasJustBeaten(run), 20_000);
    removed = [];
    go();
    await waitUntil(async () => (await shown(run)).attempts[0]?.status === 'failed');
    expect(removed.length).toBeLessThanOrEqual(1);
    expect(await ended(run)).toMatchObject({ status: 'succeeded', attempts: [{ code: 'executor-cut-off' }, { status: 'succeeded' }] });
    await allIsWell();
  }, 120_000);

  /** Whether the master at work on a run has given a sign of life within the last second. */
  const hasJustBeaten = async (run: string): Promise<boolean> => {
    const { rows } = await masters[0]!.master.foundation.pool.query<{ alive: boolean }>(
      "select beat_at > now() - interval '1 second' as alive from live.executors where instance = (select instance from read.runs where id = $1)", [run]);
    return rows[0]?.alive === true;
  };
});
