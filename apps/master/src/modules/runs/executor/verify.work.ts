import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { InstallationKeys } from '#identity';
import { counted, unreachable } from '#kernel';
import { type VerifyFinding, type VerifyResult, identityKeys, verifyRepository } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { SnapshotRow, snapshotDecider } from '../../snapshots/index.ts';
import { Deciding } from '../deciding.ts';
import { repositoryNodeOf, type VerifyLevel } from '../domain/run.plan.ts';
import { TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import { dutyDone, type DutyOrder, type DutyResult, type DutyWork, dutyFailed } from './duty-work.port.ts';

/** What an event carries of the findings of one snapshot: so many, each with so many paths. */
const keptFindings = 50;
const keptPaths = 20;

const engineLevel = (level: VerifyLevel): 1 | 2 | '2c' | 3 => (level === '2c' ? level : level === '1' ? 1 : level === '2' ? 2 : 3);

const faultOf = ({ object, code, detail, affected }: VerifyFinding): DutyResult['faults'][number] => ({
  path: object, code: code.slice(0, 64),
  detail: `${detail}${affected.length > 0 ? ` (${affected.map(({ snapshot, entries, whole }) => `${snapshot}: ${whole ? 'all of it' : counted(entries, 'entry', 'entries')}`).join(', ')})` : ''}`.slice(0, 1024),
});

/** Checks snapshots of a repository and records for each what was found. */
@Injectable()
export class VerifyWork implements DutyWork {
  constructor(
    private readonly deciding: Deciding,
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @InjectRepository(SnapshotRow) private readonly rows: Repository<SnapshotRow>,
  ) {}

  async perform({ run, order }: DutyOrder, signal: AbortSignal): Promise<DutyResult> {
    const { plan, target, repository, node } = order;
    if (plan.kind !== 'verify') return dutyFailed('wrong-kind', 'This is no verify');
    const wanted = await this.rows.findBy({ repository, forgotten: false, ...(plan.snapshots.length > 0 ? { id: In([...plan.snapshots]) } : {}) });
    const { store } = await this.targets.open(target, repositoryNodeOf(plan, node));
    const identities = [this.keys.catalog.identity, ...(this.keys.data.identity === undefined ? [] : [this.keys.data.identity])];
    const result = await verifyRepository({
      store, level: engineLevel(plan.level), keys: identityKeys(store, identities), signal,
      expected: wanted.map((row) => row.object), snapshots: new Set(wanted.map((row) => row.id)),
    });
    for (const { id } of wanted) await this.record(id, { run, level: plan.level, result });
    return this.resultOf(result);
  }

  /** Damage is recorded as such; what could not be fetched proves nothing. */
  private async record(snapshot: string, { run, level, result }: { run: string; level: VerifyLevel; result: VerifyResult }): Promise<void> {
    const costly = result.findings.filter((finding) => finding.affected.some((loss) => loss.snapshot === snapshot));
    const damage = costly.filter((finding) => finding.kind !== 'unreachable');
    if (damage.length === 0 && result.outcome === 'incomplete') return;
    const faults = damage.slice(0, keptFindings).map(({ object, code, affected }) => ({
      object, code, paths: affected.filter((loss) => loss.snapshot === snapshot).flatMap((loss) => loss.paths).slice(0, keptPaths),
    }));
    await this.deciding.execute('system:verify', (unit) => unit.decide(snapshotDecider, snapshot, {
      type: 'VerifySnapshot', run, level, outcome: damage.length > 0 ? 'damaged' : 'intact', faults, faultCount: damage.length,
    }));
  }

  private resultOf({ outcome, findings }: VerifyResult): DutyResult {
    const faults = findings.slice(0, 1000).map(faultOf);
    switch (outcome) {
      case 'intact':
        return { ...dutyDone, faults, faultCount: findings.length };
      case 'damaged':
        return dutyFailed('damage-found', 'Something is missing or damaged; the findings say what it costs', faults, findings.length);
      case 'incomplete':
        return dutyFailed('verify-incomplete', 'Some objects could not be fetched, so nothing is known about them', faults, findings.length);
      default:
        return unreachable(outcome, 'outcome of a verify');
    }
  }
}
