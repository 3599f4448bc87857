import type { ItemFault, RunReport } from '#contracts';
import type { ReportRun } from '../../domain/run.commands.ts';
import type { AdmissionOutcome } from '../../ports.ts';

/** What an event carries of the faults of a run: so many, each so long (characters). The rest stays in the run's log. */
const keptFaults = 100;
const keptPath = 512;
const keptDetail = 256;

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}\u2026`);

const cutFault = ({ path, code, detail }: ItemFault): ItemFault => ({ path: cut(path, keptPath), code, detail: cut(detail, keptDetail) });

/** The command that a report becomes. A success whose snapshot was not admitted is a failure with the reason of the refusal. */
export const reportCommand = (node: string, report: RunReport, admission: AdmissionOutcome | undefined, now: string): ReportRun => {
  const { attempt, claim, statistics, phases, faults, faultCount } = report;
  const reason = { code: report.code ?? 'unexplained', detail: report.detail ?? 'The agent gave no reason; see the log of the run' };
  const common = {
    type: 'ReportRun', node, attempt, claim, now,
    faults: faults.slice(0, keptFaults).map(cutFault),
    faultCount: Math.max(faultCount, faults.length),
    ...(statistics ? { statistics: { ...statistics } } : {}),
    ...(phases ? { phases } : {}),
  } as const;
  if (admission?.admitted === false) {
    return { ...common, outcome: 'failed', reason: { code: admission.code, detail: admission.detail } };
  }
  const explained = report.outcome === 'succeeded' ? {} : { reason: report.outcome === 'partial' && !report.code ? unreadable(faultCount) : reason };
  return { ...common, outcome: report.outcome, ...explained, ...(admission ? { snapshot: admission.snapshot } : {}) };
};

const unreadable = (count: number) => ({ code: 'sources-unreadable', detail: `${count} item(s) could not be read; the snapshot lacks them` });
