import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, Not, Repository } from 'typeorm';
import { createHash } from 'node:crypto';
import type { InstallationKeys } from '#identity';
import type { Logger } from '#kernel';
import { type KeyClass, identityKeys, objectNames, objectPrefixes, parseObjectName, wrapKey } from '#repository';
import type { ObjectStore } from '#storage';
import { KEYS, LOGGER } from '../../../platform/index.ts';
import { type RecoveryRecipient, RecoveryRecipients } from '../../installation/index.ts';
import { RepositoryRow, type RepositoryState, repositoryDecider } from '../../repositories/index.ts';
import { Deciding } from '../deciding.ts';
import { TARGET_ACCESS, type TargetAccess } from '../ports.ts';

const prefixes: readonly (readonly [KeyClass, string])[] = [['id', objectPrefixes.idKeys], ['data', objectPrefixes.dataKeys], ['catalog', objectPrefixes.catalogKeys]];
const nameOf = { id: objectNames.idKey, data: objectNames.dataKey, catalog: objectNames.catalogKey } as const;

const knows = (state: RepositoryState, { class: kind, recipient }: RecoveryRecipient): boolean =>
  (kind === 'data' ? state.dataRecipients : state.catalogRecipients).includes(recipient);

/**
 * Gives the repositories that existed before a recovery recipient another wrapping of all their keys, to it alone; `RecipientAdded` says
 * that this is done. It waits for a repository at rest: attempts that began before the recipient was added have ended then, and later
 * ones wrap to it by themselves.
 */
@Injectable()
export class RewrapProcess {
  /** Repositories that were found complete, by the number of recipients at that time. */
  private readonly complete = new Map<string, number>();

  constructor(
    private readonly deciding: Deciding,
    private readonly recovery: RecoveryRecipients,
    @Inject(TARGET_ACCESS) private readonly targets: TargetAccess,
    @Inject(KEYS) private readonly keys: InstallationKeys,
    @InjectRepository(RepositoryRow) private readonly rows: Repository<RepositoryRow>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One pass of the duty. Does nothing where the masters may not read. */
  async pass(): Promise<void> {
    const recipients = await this.recovery.list();
    if (recipients.length === 0 || this.keys.data.identity === undefined) return;
    for (const row of await this.rows.find({ where: { repositoryId: Not(IsNull()) }, order: { id: 'ASC' } })) {
      if (this.complete.get(row.id) !== recipients.length) await this.check(row, recipients);
    }
  }

  private async check({ id, node, target }: RepositoryRow, recipients: readonly RecoveryRecipient[]): Promise<void> {
    const state = await this.deciding.repository(id);
    const missing = recipients.filter((recipient) => !knows(state, recipient));
    if (missing.length === 0) {
      this.complete.set(id, recipients.length);
      return;
    }
    if (state.leases.length > 0) return;
    const { store } = await this.targets.open(target, node);
    for (const recipient of missing) {
      await this.wrap(store, recipient);
      await this.deciding.execute('system:recovery', (unit) => unit.decide(repositoryDecider, id, { type: 'AddRecipient', ...recipient }));
      this.logger.info('The keys of a repository were wrapped to a recovery recipient', { repository: id, class: recipient.class });
    }
  }

  private async wrap(store: ObjectStore, { class: kind, recipient }: RecoveryRecipient): Promise<void> {
    const ring = identityKeys(store, [this.keys.data.identity ?? '']);
    for (const [keyClass, prefix] of kind === 'data' ? prefixes : prefixes.filter(([name]) => name === 'catalog')) {
      const ids = new Set<string>();
      for await (const { name } of store.list(prefix)) ids.add(parseObjectName(name)?.id ?? '');
      ids.delete('');
      for (const id of ids) {
        const file = await wrapKey(await ring.get(keyClass, id), [recipient]);
        const sha256 = createHash('sha256').update(file).digest();
        await store.put(nameOf[keyClass](id, sha256), [file], { sha256 });
      }
    }
  }
}
