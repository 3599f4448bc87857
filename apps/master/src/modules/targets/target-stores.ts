import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { join } from 'node:path';
import { Repository } from 'typeorm';
import { type InstallationKeys, type Vault, deriveKey } from '#identity';
import { type Clock, fault, isId } from '#kernel';
import {
  type GrantSigner, type ObjectStore, type S3Location, S3Store, fsStore, relayGrantSigner, s3Client, s3GrantSigner, s3Store, withRetry,
} from '#storage';
import { CLOCK, CONFIG, KEYS, type MasterConfig, VAULT, publicUrlOf } from '../../platform/index.ts';
import type { S3Settings, TargetSettings } from './domain/target.events.ts';
import { TargetRow } from './read-models/target.entity.ts';
import { TargetSecret } from './vault/target-secret.entity.ts';

/** The secret part of S3 settings. */
export interface S3Secret {
  readonly secretAccessKey: string;
}

/** A target at work. Names are relative to the target; a repository takes its part with `withPrefix`. */
export interface OpenTarget {
  readonly store: ObjectStore;
  /** Makes grants that agents can use: straight to the target when its last test allows that, through the relay otherwise. */
  readonly signer: GrantSigner;
  readonly access: 'direct' | 'relay';
}

/** A target's store and, where it can sign by itself, its own signer: what a test tries. */
export interface TargetParts {
  readonly store: ObjectStore;
  readonly own?: GrantSigner;
}

const notFound = () => fault('not-found', 'target-not-found', 'There is no such target; list the targets to see which there are');

/** Opens targets: the one place where their secrets are unsealed. Clients are kept while their settings stay the same. */
@Injectable()
export class TargetStores implements OnApplicationShutdown {
  private readonly kept = new Map<string, { readonly fingerprint: string; readonly parts: TargetParts; readonly close: () => void }>();
  /** HMAC key of relay grants; the same on every master. */
  readonly relaySecret: Uint8Array;

  constructor(
    @InjectRepository(TargetRow) private readonly targets: Repository<TargetRow>,
    @InjectRepository(TargetSecret) private readonly secrets: Repository<TargetSecret>,
    @Inject(VAULT) private readonly vault: Vault,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: MasterConfig,
    @Inject(KEYS) keys: InstallationKeys,
  ) {
    this.relaySecret = deriveKey(keys.cryptoSecret, 'relay grants');
  }

  /** Throws `target-not-found`, or `secret-unreadable` when its secret does not open. */
  async open(target: string): Promise<OpenTarget> {
    const row = await this.row(target);
    const { store, own } = await this.partsOf(row);
    if (own && row.test?.presigned) return { store, signer: own, access: 'direct' };
    return { store, access: 'relay', signer: relayGrantSigner({ secret: this.relaySecret, baseUrl: publicUrlOf(this.config), scope: target }) };
  }

  /** The parts of a target for a test. Throws as `open`. */
  async parts(target: string): Promise<TargetParts> {
    return this.partsOf(await this.row(target));
  }

  /** Names of all tasks that use the target. The table is the slice of the tasks', which itself stands on this one. */
  async tasksOf(target: string): Promise<string[]> {
    const rows: { name: string }[] = await this.targets.query('select name from read.tasks where target = $1 order by name', [target]);
    return rows.map(({ name }) => name);
  }

  /** Seals the secret part of settings under a new name. */
  async keepSecret(id: string, target: string, secret: S3Secret): Promise<void> {
    const sealed = Buffer.from(this.vault.seal(Buffer.from(JSON.stringify(secret)), `target-secret:${id}`));
    await this.secrets.createQueryBuilder().insert().values({ id, target, sealed }).orIgnore().execute();
  }

  onApplicationShutdown(): void {
    for (const { close } of this.kept.values()) close();
    this.kept.clear();
  }

  private async row(target: string): Promise<TargetRow> {
    const row = isId('target', target) ? await this.targets.findOneBy({ id: target }) : null;
    if (!row) throw notFound();
    return row;
  }

  private async partsOf(row: TargetRow): Promise<TargetParts> {
    const fingerprint = JSON.stringify([row.settings, row.secret]);
    const known = this.kept.get(row.id);
    if (known?.fingerprint === fingerprint) return known.parts;
    const made = await this.make(row.id, row.settings, row.secret);
    known?.close();
    this.kept.set(row.id, { fingerprint, ...made });
    return made.parts;
  }

  private async make(id: string, settings: TargetSettings, secret: string | null): Promise<{ parts: TargetParts; close: () => void }> {
    if (settings.kind === 'builtin') {
      return { parts: { store: fsStore(join(this.config.dataDir, 'targets', id)) }, close: () => undefined };
    }
    const location = this.locationOf(settings, await this.unseal(secret));
    const client = s3Client(location);
    const store: S3Store = s3Store({ ...location, client, clock: this.clock });
    return { parts: { store: withRetry(store, { clock: this.clock }), own: s3GrantSigner({ ...location, client, clock: this.clock }) }, close: () => store.close() };
  }

  private locationOf(settings: S3Settings, secret: S3Secret | undefined): S3Location {
    const { endpoint, region, bucket, prefix, pathStyle, accessKeyId } = settings;
    return {
      bucket, region, prefix, forcePathStyle: pathStyle,
      ...(endpoint ? { endpoint } : {}),
      ...(secret ? { credentials: { accessKeyId, secretAccessKey: secret.secretAccessKey } } : {}),
    };
  }

  private async unseal(id: string | null): Promise<S3Secret | undefined> {
    const row = id === null ? null : await this.secrets.findOneBy({ id });
    if (!row) return undefined;
    return JSON.parse(Buffer.from(this.vault.open(row.sealed, `target-secret:${row.id}`)).toString('utf8')) as S3Secret;
  }
}
