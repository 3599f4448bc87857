import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { InstallationKeys } from '#identity';
import { AppError, type Clock, parseTime } from '#kernel';
import { type ListedSnapshot, type PruneResult, identityKeys, objectPrefixes, pruneRepository } from '#repository';
import type { ObjectStore } from '#storage';
import { CLOCK, KEYS } from '../../../platform/index.ts';
import { type RepositoryCommand, type RepositoryState, repositoryDecider } from '../../repositories/index.ts';
import { ExpiredSnapshots, SnapshotRow, snapshotDecider } from '../../snapshots/index.ts';
import { Deciding } from '../deciding.ts';
import { repositoryNodeOf } from '../domain/run.plan.ts';
import { TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import type { Tether } from './executor-instance.ts';
import { dutyDone, type DutyOrder, type DutyResult, type DutyWork, dutyFailed } from './duty-work.port.ts';

/** A snapshot object that nobody has admitted is left alone for as long as its report may still come: what REPORTS keeps, and a day. */
const unclaimedMs = 31 * 86_400_000;

/** When the attempts of the keys began, by the masters' own word and not by that of the objects, which agents write. */
const attemptTimes = (listed: readonly ListedSnapshot[], rows: readonly SnapshotRow[]): [string, number][] => {
  const times = new Map(rows.map(({ object, time }) => [object, time.getTime()]));
  return listed.flatMap(({ name, header }): [string, number][] => {
    const time = times.get(name);
    return time === undefined ? [] : [[header.dataKey, time], [header.catalogKey, time]];
  });
};

/** The store, for as long as the tether holds when something is to be deleted. */
const tethered = (store: ObjectStore, tether: Tether): ObjectStore => ({
  put: (name, body, options) => store.put(name, body, options),
  get: (name, range, options) => store.get(name, range, options),
  head: (name, options) => store.head(name, options),
  list: (prefix, options) => store.list(prefix, options),
  delete: async (name, options) => {
    tether();
    await store.delete(name, options);
  },
  ...(store.removeLeftovers ? { removeLeftovers: store.removeLeftovers.bind(store) } : {}),
});

/** Forgets what the tasks' rules no longer keep, and deletes what only that needed. Every step is a fact before it is done. */
@Injectable()
export class PruneWork implements DutyWork {
  constructor(
    private readonly deciding: Deciding,
    private readonly expired: ExpiredSnapshots,
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @Inject(CLOCK) private readonly clock: Clock,
    @InjectRepository(SnapshotRow) private readonly rows: Repository<SnapshotRow>,
  ) {}

  async perform({ run, order, tether }: DutyOrder, signal: AbortSignal): Promise<DutyResult> {
    const { plan, target, repository, node } = order;
    if (plan.kind !== 'prune') return dutyFailed('wrong-kind', 'This is no prune');
    const rows = await this.rows.findBy({ repository });
    const candidates = await this.expiring(rows, repository);
    const forgotten = plan.dryRun ? candidates : await this.forget(run, candidates);
    const { store: untethered } = await this.targets.open(target, repositoryNodeOf(plan, node));
    const store = tethered(untethered, tether);
    const began = new Map<string, number>();
    let admissions = 0;
    const result = await pruneRepository({
      store, signal, clock: this.clock, dryRun: plan.dryRun, keys: identityKeys(store, [this.keys.catalog.identity]),
      keep: (listed) => {
        for (const [keyId, time] of attemptTimes(listed, rows)) began.set(keyId, time);
        return this.kept(listed, rows, forgotten);
      },
      attemptOrder: (keyId) => began.get(keyId) ?? Infinity,
      hooks: {
        marked: async () => { admissions = (await this.decide(repository, { type: 'MarkPrune', run })).admissions; },
        beforeDelete: async () => {
          tether();
          await this.decide(repository, { type: 'StartDeletion', run, admissions });
        },
      },
    });
    if (!plan.dryRun) {
      await this.removeLists(store, signal);
      tether();
      await this.complete(repository, { run, result });
    }
    return { ...dutyDone, detail: this.summary(result, forgotten.size) };
  }

  /** Lists made for agents are out of date now, and nobody reads them: the lease is exclusive. */
  private async removeLists(store: ObjectStore, signal: AbortSignal): Promise<void> {
    const lists: string[] = [];
    for await (const { name } of store.list(objectPrefixes.indexes, { signal })) lists.push(name);
    for (const name of lists) await store.delete(name, { signal });
  }

  /** Those that this prune forgets, and those that an earlier one forgot and did not come to delete. */
  private async expiring(rows: readonly SnapshotRow[], repository: string): Promise<ReadonlySet<string>> {
    return new Set([...await this.expired.of(repository), ...rows.filter((row) => row.forgotten).map(({ id }) => id)]);
  }

  /** One that was held in the meantime is refused and stays. */
  private async forget(run: string, candidates: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const forgotten = new Set<string>();
    for (const id of candidates) {
      const decided = await this.deciding.execute('system:retention', (unit) =>
        unit.decide(snapshotDecider, id, { type: 'ForgetSnapshot', run, reason: 'The retention rules of its task no longer keep it' }));
      if (decided.ok) forgotten.add(id);
    }
    return forgotten;
  }

  private kept(listed: readonly ListedSnapshot[], rows: readonly SnapshotRow[], forgotten: ReadonlySet<string>): ReadonlySet<string> {
    const known = new Set(rows.map(({ id }) => id));
    const young = this.clock.now() - unclaimedMs;
    const stays = ({ header }: ListedSnapshot): boolean =>
      known.has(header.snapshot) ? !forgotten.has(header.snapshot) : !(parseTime(header.time) < young);
    return new Set(listed.filter(stays).map(({ header }) => header.snapshot));
  }

  /** Throws the refusal: a prune that may not go on deletes nothing. */
  private async decide(repository: string, command: RepositoryCommand): Promise<RepositoryState> {
    const decided = await this.deciding.execute('system:prune', async (unit) => {
      const result = await unit.decide(repositoryDecider, repository, command);
      return result.ok ? { ok: true, value: (await unit.load(repositoryDecider, repository)).state } : result;
    });
    if (!decided.ok) throw new AppError(decided.error);
    return decided.value.value;
  }

  /** Without a mark there was nothing to delete. */
  private async complete(repository: string, { run, result }: { run: string; result: PruneResult }): Promise<void> {
    const { admissions, pruning } = await this.decide(repository, { type: 'MarkPrune', run });
    if (pruning?.deleting !== true) await this.decide(repository, { type: 'StartDeletion', run, admissions });
    await this.decide(repository, {
      type: 'CompletePrune', run, forgotten: result.removedSnapshots,
      deletedObjects: result.packsRemoved + result.packsRewritten + result.snapshotsRemoved + result.removedKeys,
      deletedBytes: Math.max(0, result.storedBefore - result.storedAfter), storedBytes: result.storedAfter,
      livePlainBytes: result.livePlain, keptPlainBytes: result.keptPlain,
    });
  }

  private summary({ dryRun, storedBefore, storedAfter, packsRemoved, packsRewritten, snapshotsRemoved }: PruneResult, forgotten: number): string {
    const verb = dryRun ? 'would be' : 'were';
    return `${forgotten} snapshot(s) ${verb} forgotten; ${snapshotsRemoved} snapshot object(s) and ${packsRemoved} pack(s) ${verb} removed, ${packsRewritten} rewritten; `
      + `${storedBefore} bytes before, ${storedAfter} after`;
  }
}
