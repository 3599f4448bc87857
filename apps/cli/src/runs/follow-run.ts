import { type Clock, counted, isAppError, messageOf, parseTime } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import { exitCodes } from '../exit-codes.ts';
import { humanBytes, humanDuration, printable } from '../format.ts';
import type { Output } from '../output.ts';
import { progressText } from '../progress-text.ts';
import { ChildrenTeller, childrenLine } from './children.ts';
import { type LogParts, followLog } from './run-log.ts';
import { type PruneCounts, pruneText, prunedRepository } from './prune-counts.ts';
import { kindText } from './run-text.ts';
import { type RunView, isFinal } from './run-view.ts';

const pollMs = 250;
/** A master that restarts is back in less; one that is gone is told of. */
const patienceMs = 120_000;
/** Lines that were on their way when the run ended are shown; then that is all. */
const lastLinesMs = 2_000;

const progressLine = (run: RunView): string => {
  if (run.children) return childrenLine(run);
  const progress = run.progress;
  if (!progress) return `${run.kind} ${run.status}${run.waitingReason ? `: ${run.waitingReason}` : ''}`;
  return `${progressText(progress, progress.elapsedMs)}  ${progress.current ?? ''}`;
};

/** What it did, as far as that is counted. */
const countsOf = ({ kind, statistics, snapshot }: RunView, pruned: PruneCounts): string => {
  const left = pruneText(pruned);
  const stored = statistics && kind === 'backup' ? `, ${humanBytes(statistics.storedBytes)} stored` : '';
  const counts = statistics ? `: ${counted(statistics.files, 'file')}, ${humanBytes(statistics.bytes)}${stored}` : '';
  return `${counts}${left ? `: ${left}` : ''}${snapshot && kind === 'backup' ? `, snapshot ${snapshot}` : ''}`;
};

/** What a finished run was, in one line. */
const describe = (run: RunView, pruned: PruneCounts = {}): string => {
  const seconds = run.startedAt && run.finishedAt ? ` in ${humanDuration(parseTime(run.finishedAt) - parseTime(run.startedAt))}` : '';
  const whole = run.children ? ` on ${counted(run.children.total, 'node')}` : '';
  return `${kindText(run)} ${run.status}${whole}${seconds}${countsOf(run, pruned)}${run.detail ? ` (${run.detail} [${run.code}])` : ''}`;
};

/** The exit code of a finished run. */
export const exitCodeOfRun = (run: RunView): number => {
  switch (run.status) {
    case 'succeeded': case 'skipped': return exitCodes.ok;
    case 'partial': return exitCodes.partial;
    case 'cancelled': return exitCodes.cancelled;
    default: return exitCodes.failed;
  }
};

/** The warnings of a run's log as they come. Best effort: what the run itself says at its end does not depend on it. */
const showWarnings = async (parts: LogParts, id: string, output: Output, shown: Set<string>): Promise<void> => {
  try {
    for await (const line of followLog(parts, id)) {
      if (line.level !== 'warn' && line.level !== 'error') continue;
      shown.add(line.text);
      output.note(`  ${printable(line.text)}`);
      output.message('log', { run: id, ...line });
    }
  } catch (error) {
    // That there is no such run is told once, by who asks for the run itself. A parent run has no log of its own.
    const isTold = parts.signal.aborted || (isAppError(error) && (error.kind === 'not-found' || error.code === 'run-has-no-log'));
    if (!isTold) output.note(`The log of the run cannot be followed: ${messageOf(error)}`);
  }
};

/** Shows a run and the warnings of its log until it ends, through restarts of the master; returns the run as it ended. */
export const followRun = async (api: ApiClient, id: string, output: Output, clock: Clock): Promise<RunView> => {
  const enough = new AbortController();
  const shown = new Set<string>();
  const warnings = showWarnings({ api, clock, signal: enough.signal }, id, output, shown);
  try {
    const run = await untilFinal(api, id, output, clock);
    await Promise.race([warnings, clock.sleep(lastLinesMs, enough.signal).catch(() => undefined)]);
    const repository = await prunedRepository(api, run);
    output.result('run', repository ? { ...run, repository } : run, describe(run, repository));
    for (const item of run.faults ?? []) {
      if (!shown.has(`${item.code} ${item.path}: ${item.detail}`)) output.note(`  ${printable(item.path)}: ${printable(item.detail)} [${item.code}]`);
    }
    return run;
  } finally {
    enough.abort();
  }
};

const untilFinal = async (api: ApiClient, id: string, output: Output, clock: Clock): Promise<RunView> => {
  let lastHeard = clock.monotonic();
  let before = '';
  const children = new ChildrenTeller(api, id, output);
  for (;;) {
    try {
      const run = await api.get<RunView>(`/api/v1/runs/${id}`);
      lastHeard = clock.monotonic();
      if (run.children) await children.look(run);
      if (isFinal(run)) return run;
      const line = progressLine(run);
      output.progress(line);
      if (line !== before && run.progress) output.message('progress', { run: id, status: run.status, ...run.progress });
      before = line;
    } catch (error) {
      const mayHeal = !isAppError(error) || error.retryable || error.kind === 'internal';
      if (!mayHeal || clock.monotonic() - lastHeard > patienceMs) throw error;
      output.progress(`waiting for the master: ${messageOf(error)}`);
    }
    await clock.sleep(pollMs);
  }
};
