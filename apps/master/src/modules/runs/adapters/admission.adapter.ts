import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { SnapshotProposal, WrappedKey } from '#contracts';
import { objectPrefixes, parseObjectName } from '#repository';
import type { ObjectStore } from '#storage';
import { type Admission, type AdmissionOutcome, type AdmissionRequest, TARGET_ACCESS, type TargetAccess } from '../ports.ts';

type No = Extract<AdmissionOutcome, { admitted: false }>;
const no = (code: string, detail: string): No => ({ admitted: false, code, detail });

const folderOf: Readonly<Record<WrappedKey['class'], string>> = { id: objectPrefixes.idKeys, data: objectPrefixes.dataKeys, catalog: objectPrefixes.catalogKeys };

/** Heads asked for at the same time. */
const parallel = 16;

const keyName = (key: WrappedKey): string =>
  `${folderOf[key.class]}${key.keyId}/${createHash('sha256').update(Buffer.from(key.file, 'base64')).digest('hex')}`;

/** Every object that the proposal names, with its size. */
const objectsOf = (proposal: SnapshotProposal) => [
  ...proposal.keys.map((key) => ({ name: keyName(key), size: Buffer.from(key.file, 'base64').length })),
  ...proposal.packs, ...(proposal.adoptedPacks ?? []), proposal.object,
];

/** The check before a snapshot becomes a fact: every object that the proposal names lies in the target, under its name and size. */
@Injectable()
export class StoredAdmission implements Admission {
  constructor(@Inject(TARGET_ACCESS) private readonly targets: TargetAccess) {}

  async admit({ order, attempt, report }: AdmissionRequest): Promise<AdmissionOutcome> {
    const { proposal } = report;
    if (!proposal) return no('snapshot-missing', 'The agent proposed no snapshot');
    const named = this.names(proposal, attempt.snapshot ?? '');
    if (named) return named;
    const { store } = await this.targets.open(order.target, order.node);
    const missing = await this.firstMissing(store, objectsOf(proposal));
    if (missing) return missing;
    const { object, repositoryId, idKeyId, keys, packs } = proposal;
    return {
      admitted: true,
      snapshot: { snapshot: proposal.id, object: object.name, size: object.size, repositoryId, idKeyId, keys: keys.map((key) => ({ ...key })), packs: packs.length },
    };
  }

  private names(proposal: SnapshotProposal, snapshot: string): No | undefined {
    const parsed = parseObjectName(proposal.object.name);
    if (parsed?.kind !== 'snapshot' || parsed.id !== snapshot) return no('wrong-snapshot', 'The proposed object is not the snapshot that the claim named');
    const stranger = [...proposal.packs, ...(proposal.adoptedPacks ?? [])].find(({ name }) => parseObjectName(name)?.kind !== 'pack');
    return stranger ? no('wrong-object', `${stranger.name} is not the name of a pack`) : undefined;
  }

  private async firstMissing(store: ObjectStore, objects: readonly { readonly name: string; readonly size: number }[]): Promise<No | undefined> {
    for (let from = 0; from < objects.length; from += parallel) {
      const found = await Promise.all(objects.slice(from, from + parallel).map(async ({ name, size }) => {
        const info = await store.head(name);
        if (!info) return no('object-missing', `The target does not hold ${name}`);
        return info.size === size ? undefined : no('object-damaged', `${name} has ${info.size} bytes in the target, not ${size}`);
      }));
      const fault = found.find((one) => one !== undefined);
      if (fault) return fault;
    }
    return undefined;
  }
}
