import { Inject, Injectable } from '@nestjs/common';
import type { BackupSpecification, RestoreSpecification, Specification } from '#contracts';
import { fault } from '#kernel';
import { type RunPlan } from '../domain/run.plan.ts';
import { NODE_DIRECTORY, type NodeDirectory, RECIPIENTS, type Recipients, RESTORE_KEYS, type RestoreKeys } from '../ports.ts';
import type { HeldClaim } from './held-claim.ts';

const hashOf = (object: string): string => object.slice(object.lastIndexOf('/') + 1);
const unique = (items: readonly string[]): string[] => [...new Set(items)];

/** What an attempt is to do, as its agent is told in the signed answer to its claim. */
@Injectable()
export class SpecificationBuilder {
  constructor(
    @Inject(NODE_DIRECTORY) private readonly nodes: NodeDirectory,
    @Inject(RECIPIENTS) private readonly recipients: Recipients,
    @Inject(RESTORE_KEYS) private readonly restoreKeys: RestoreKeys,
  ) {}

  /** Throws `node-without-recipient` and what the target throws; `kind-not-for-agents` for a prune or verify. */
  async build(node: string, claim: HeldClaim): Promise<Specification> {
    const { plan } = claim.run.order;
    if (plan.kind === 'backup') return this.backup(claim, plan);
    if (plan.kind === 'restore') return this.restore(node, claim, plan);
    throw fault('refused', 'kind-not-for-agents', `A ${plan.kind} is done by the masters; drop the command`);
  }

  private async backup({ run, attempt, repository }: HeldClaim, plan: Extract<RunPlan, { kind: 'backup' }>): Promise<BackupSpecification> {
    const { task, taskName, target } = run.order;
    const installation = await this.recipients.current();
    return {
      kind: 'backup',
      task: task ?? 'ad-hoc',
      taskName: taskName ?? task ?? 'ad-hoc',
      time: attempt.time,
      source: plan.source,
      repository: {
        target,
        generation: attempt.generation ?? 0,
        dataRecipients: unique([...installation.data, ...repository.dataRecipients]),
        catalogRecipients: unique([...installation.catalog, ...repository.catalogRecipients]),
        ...(repository.created ? { id: repository.created.repositoryId } : {}),
        ...(repository.pruning?.condemned === undefined ? {} : { condemned: repository.pruning.condemned }),
      },
      ...(repository.latest ? { previousSnapshot: hashOf(repository.latest.object) } : {}),
    };
  }

  private async restore(node: string, { run, attempt }: HeldClaim, plan: Extract<RunPlan, { kind: 'restore' }>): Promise<RestoreSpecification> {
    const recipient = (await this.nodes.find(node))?.recipient;
    if (recipient === undefined) throw fault('refused', 'node-without-recipient', 'The node has told no age recipient; enrol its agent again');
    const { fromNode, snapshot, snapshotObject, path, destination, mode, deleteExtraneous, dryRun } = plan;
    const sealedKeys = await this.restoreKeys.seal({ claim: attempt.claim, target: run.order.target, node: fromNode, snapshotObject }, recipient);
    return {
      kind: 'restore', time: attempt.time, fromNode, target: run.order.target, snapshot, snapshotObject, destination, mode, deleteExtraneous, dryRun,
      sealedKeys, ...(path === undefined ? {} : { path }),
    };
  }
}
