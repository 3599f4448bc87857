import type { RunReport } from '#contracts';
import type { RunOrder } from '../domain/run.plan.ts';
import type { Tether } from './executor-instance.ts';

/** A report without what the claim adds. */
export type DutyResult = Pick<RunReport, 'outcome' | 'code' | 'detail' | 'faults' | 'faultCount'>;

/** One attempt of a run that the masters do themselves. */
export interface DutyOrder {
  readonly run: string;
  readonly attempt: number;
  readonly order: RunOrder;
  readonly tether: Tether;
}

/** Work of one kind. */
export interface DutyWork {
  /** Rejects with the signal's reason after an abort; other errors become a failed attempt. */
  perform(duty: DutyOrder, signal: AbortSignal): Promise<DutyResult>;
}

/** An end with nothing to complain of. */
export const dutyDone: DutyResult = { outcome: 'succeeded', faults: [], faultCount: 0 };

/** A failed end. */
export const dutyFailed = (code: string, detail: string, faults: DutyResult['faults'] = [], faultCount = faults.length): DutyResult =>
  ({ outcome: 'failed', code, detail, faults, faultCount });
