import { Inject, Injectable } from '@nestjs/common';
import type { InstallationKeys } from '#identity';
import { admitSnapshot, identityKeys } from '#repository';
import { KEYS } from '../../../platform/index.ts';
import { type Admission, type AdmissionOutcome, type AdmissionRequest, TARGET_ACCESS, type TargetAccess } from '../ports.ts';
import { RecentDirectories } from './recent-directories.ts';

/** The check of the repository format, with the installation's catalog identity; with its data identity the MAC is checked too. */
@Injectable()
export class CatalogAdmission implements Admission {
  constructor(
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    private readonly directories: RecentDirectories,
  ) {}

  async admit({ order, attempt, report, created }: AdmissionRequest): Promise<AdmissionOutcome> {
    const { proposal } = report;
    if (!proposal) return { admitted: false, code: 'snapshot-missing', detail: 'The agent proposed no snapshot' };
    const { store } = await this.targets.open(order.target, order.node);
    const identities = [this.keys.catalog.identity, ...(this.keys.data.identity === undefined ? [] : [this.keys.data.identity])];
    const verdict = await admitSnapshot({
      store, keys: identityKeys(store, identities), proposal, faultCount: report.faultCount, cache: this.directories,
      expected: { snapshot: attempt.snapshot ?? '', ...created },
    });
    if (!verdict.admitted) return verdict;
    const { object, repositoryId, idKeyId, keys, packs } = proposal;
    return {
      admitted: true,
      snapshot: { snapshot: proposal.id, object: object.name, size: object.size, repositoryId, idKeyId, keys: keys.map((key) => ({ ...key })), packs: packs.length },
    };
  }
}
