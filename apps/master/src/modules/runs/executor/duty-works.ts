import { Injectable } from '@nestjs/common';
import { unreachable } from '#kernel';
import { type DutyOrder, type DutyResult, dutyFailed } from './duty-work.port.ts';
import { PruneWork } from './prune.work.ts';
import { VerifyWork } from './verify.work.ts';

/** What the masters can do themselves, by kind of run. */
@Injectable()
export class DutyWorks {
  constructor(private readonly verify: VerifyWork, private readonly prune: PruneWork) {}

  /** Rejects with the signal's reason after an abort. */
  perform(duty: DutyOrder, signal: AbortSignal): Promise<DutyResult> {
    const { kind } = duty.order.plan;
    switch (kind) {
      case 'verify':
        return this.verify.perform(duty, signal);
      case 'prune':
        return this.prune.perform(duty, signal);
      case 'backup':
      case 'restore':
        return Promise.resolve(dutyFailed('kind-not-for-masters', `A ${kind} is not done by the masters`));
      default:
        return unreachable(kind, 'kind of run');
    }
  }
}
