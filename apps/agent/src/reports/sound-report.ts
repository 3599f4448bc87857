import { type ItemFault, RunReport, parseMessage } from '#contracts';
import { failedResult } from '../data-plane/data-plane.port.ts';

/** Faults that are listed; all of them are counted. */
const mostFaults = 1_000;
/** Bytes that a report may have: a little less than the bus lets an agent send in one message. */
export const reportBytes = 8 * 1024 * 1024 - 64 * 1024;

/** Cut to what the contract allows, so that a strange file name never costs a report. */
const shortFault = ({ path, code, detail }: ItemFault): ItemFault => ({
  path: path.slice(0, 8_192), code: code.slice(0, 64), detail: detail.slice(0, 1_024),
});

const replacement = ({ protocol, attempt, claim }: RunReport, code: string, detail: string): RunReport =>
  ({ protocol, attempt, claim, ...failedResult(code, detail) });

/**
 * The report as masters will accept it: what is too long is cut, faults are left out until it fits the bus, and one that can never
 * be sent becomes the report of a failure. A report that masters terminate would leave the run waiting for ever.
 */
export const soundReport = (report: RunReport): RunReport => {
  let cut: RunReport = { ...report, faults: report.faults.slice(0, mostFaults).map(shortFault) };
  if (cut.code !== undefined) cut = { ...cut, code: cut.code.slice(0, 64) };
  if (cut.detail !== undefined) cut = { ...cut, detail: cut.detail.slice(0, 4_096) };
  const plain = JSON.parse(JSON.stringify(cut)) as unknown;
  const parsed = parseMessage(RunReport, plain);
  if (!parsed.ok) return replacement(report, 'report-invalid', `The agent made a report that no master accepts (${parsed.error.detail}); this is a fault of Holdfast`);
  for (let most = cut.faults.length; ; most = Math.floor(most / 2)) {
    const smaller = { ...cut, faults: cut.faults.slice(0, most) };
    if (Buffer.byteLength(JSON.stringify(smaller)) <= reportBytes) return smaller;
    if (most === 0) return replacement(report, 'report-too-large', 'The attempt wrote more packs than one report can name; divide the task into smaller ones');
  }
};
