import { Inject, Injectable } from '@nestjs/common';
import type { UnitOfWork } from '#event-store';
import { type Clock, type Refusal, type Result, err, fault, ok, refuse, someOf } from '#kernel';
import { type TargetTest, nodeHttp, testTarget } from '#storage';
import { CLOCK, type CommandContext, Commands, invalidRequest } from '../../platform/index.ts';
import { beginChange, rename } from '../names/index.ts';
import { placesDecider, placesId } from '../places/index.ts';
import { type KnownTarget, targetDecider } from './domain/target.decide.ts';
import type { TargetSettings, TargetTested } from './domain/target.events.ts';
import type { AddTargetRequest, ChangeTargetRequest, S3SettingsRequest } from './http/target.dto.ts';
import { TargetStores } from './target-stores.ts';

const settingsOf = (s3: S3SettingsRequest): TargetSettings => ({
  kind: 's3',
  ...(s3.endpoint ? { endpoint: s3.endpoint } : {}),
  region: s3.region ?? 'us-east-1',
  bucket: s3.bucket,
  prefix: s3.prefix ?? '',
  pathStyle: s3.pathStyle ?? s3.endpoint !== undefined,
  accessKeyId: s3.accessKeyId,
});

/** What an event records of a test. */
const recordOf = ({ checks, usable, access }: TargetTest): TargetTested['data'] => ({
  passed: usable,
  presigned: access === 'direct',
  steps: checks.map(({ name, passed, detail }) => ({ step: name, passed, ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }) })),
});

const known = async (unit: UnitOfWork, id: string): Promise<Result<{ state: KnownTarget; revision: number }, Refusal>> => {
  const { state, revision } = await unit.load(targetDecider, id);
  return state.status === 'known'
    ? ok({ state, revision })
    : err(refuse('not-found', 'target-not-found', 'There is no such target; list the targets to see which there are'));
};

/** Orders about targets. */
@Injectable()
export class TargetCommands {
  constructor(private readonly commands: Commands, private readonly stores: TargetStores, @Inject(CLOCK) private readonly clock: Clock) {}

  /** Adds a target and returns its id. Throws `name-taken`, `invalid-request`. */
  async add(context: CommandContext, wish: AddTargetRequest): Promise<string> {
    const id = context.newId('target');
    const { settings, secret } = await this.sealed(context, id, wish);
    await this.commands.execute(context, async (unit) => {
      const named = await rename(unit, { kind: 'target', owner: id, to: wish.name });
      if (!named.ok) return named;
      return unit.decide(targetDecider, id, { type: 'AddTarget', name: wish.name, settings, ...(secret ? { secret } : {}) });
    });
    return id;
  }

  /** Throws `target-not-found`, `name-taken`, `target-kind-fixed`, `stale-revision`. */
  async change(context: CommandContext, id: string, wish: ChangeTargetRequest, seen: number | undefined): Promise<void> {
    const settings = wish.s3 && settingsOf(wish.s3);
    const secret = wish.s3?.secretAccessKey === undefined ? undefined : await this.keep(context, id, wish.s3.secretAccessKey);
    await this.commands.execute(context, async (unit) => {
      const found = await known(unit, id);
      if (!found.ok) return found;
      const { revision, state } = found.value;
      const begun = await beginChange(unit, { kind: 'target', owner: id, from: state.name, to: wish.name, revision, seen });
      if (!begun.ok) return begun;
      const changes = { ...(wish.name === undefined ? {} : { name: wish.name }), ...(settings ? { settings } : {}), ...(secret ? { secret } : {}) };
      return unit.decide(targetDecider, id, { type: 'ChangeTarget', ...changes });
    });
  }

  /** Tries the target for real, records the outcome, and returns it. */
  async test(context: CommandContext, id: string): Promise<TargetTested['data']> {
    const { store, own } = await this.stores.parts(id);
    const http = nodeHttp();
    const outcome = recordOf(await testTarget({ store, http, clock: this.clock, ...(own ? { signer: own } : {}) }).finally(() => http.close()));
    await this.commands.execute(context, (unit) => unit.decide(targetDecider, id, { type: 'RecordTest', test: outcome }));
    return outcome;
  }

  /** Final. Throws `target-in-use` while tasks use it. */
  async remove(context: CommandContext, id: string): Promise<void> {
    // The read model names the tasks; the batch below is what holds when somebody defines one at this moment.
    const tasks = await this.stores.tasksOf(id);
    if (tasks.length > 0) throw fault('conflict', 'target-in-use', `Tasks use this target (${someOf(tasks)}); let them use another one or delete them first`);
    await this.commands.execute(context, async (unit) => {
      const found = await known(unit, id);
      if (!found.ok) return found;
      const retired = await unit.decide(placesDecider, placesId, { type: 'RetirePlace', place: id });
      if (!retired.ok) return retired;
      const freed = await rename(unit, { kind: 'target', owner: id, from: found.value.state.name });
      return freed.ok ? unit.decide(targetDecider, id, { type: 'RemoveTarget' }) : freed;
    });
  }

  private async sealed(context: CommandContext, id: string, { kind, s3 }: AddTargetRequest): Promise<{ settings: TargetSettings; secret?: string }> {
    if (kind === 'builtin') {
      if (s3) throw invalidRequest([{ field: 's3', detail: 's3 belongs to the kind s3 only; leave it out' }]);
      return { settings: { kind: 'builtin' } };
    }
    if (!s3) throw invalidRequest([{ field: 's3', detail: 's3 must be given for the kind s3' }]);
    if (s3.secretAccessKey === undefined) throw invalidRequest([{ field: 's3.secretAccessKey', detail: 's3.secretAccessKey must be given' }]);
    return { settings: settingsOf(s3), secret: await this.keep(context, id, s3.secretAccessKey) };
  }

  private async keep(context: CommandContext, target: string, secretAccessKey: string): Promise<string> {
    const secret = context.newId('cred');
    await this.stores.keepSecret(secret, target, { secretAccessKey });
    return secret;
  }
}
