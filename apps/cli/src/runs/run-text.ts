import { controlNode, counted, parseTime } from '#kernel';
import { humanBytes, humanDuration, table } from '../format.ts';
import { childrenLine } from './children.ts';
import type { RunView } from './run-view.ts';

/** Names of nodes by their ids. */
type Names = ReadonlyMap<string, string>;

const whereOf = ({ node, place, selector }: RunView, names: Names): string => {
  if (node !== undefined) return names.get(node) ?? (node === controlNode ? 'masters' : node);
  return `${place ?? ''} ${Object.entries(selector ?? {}).map(([key, value]) => `${key}=${value}`).join(',')}`.trim();
};

const tookOf = (from: string | undefined, to: string | undefined): string => (from && to ? humanDuration(parseTime(to) - parseTime(from)) : '');

const whyOf = ({ waitingReason, code, detail }: RunView): string => waitingReason ?? (code ? `${detail ?? ''} [${code}]`.trim() : '');

/** What a run does; of a verification the level too, which is what it proves. */
export const kindText = ({ kind, plan }: Pick<RunView, 'kind' | 'plan'>): string => {
  const meanings: Readonly<Record<string, string>> = { 1: 'stored', 2: 'intact', '2c': 'closed', 3: 'decodable' };
  return kind === 'verify' && plan?.level !== undefined ? `verify at level ${plan.level} (${meanings[plan.level] ?? 'unknown'})` : kind;
};

/** Runs, a line each. */
export const runsTable = (runs: readonly RunView[], names: Names): string =>
  table(['ID', 'TASK', 'NODE', 'KIND', 'STATUS', 'REQUESTED', 'TOOK', 'WHY'], runs.map((run) => [
    run.id, run.taskName ?? '', whereOf(run, names), run.kind, run.status, run.requestedAt, tookOf(run.startedAt, run.finishedAt), whyOf(run),
  ]));

const countsOf = ({ statistics }: RunView): string | undefined => statistics &&
  `${counted(statistics.files, 'file')}, ${counted(statistics.directories, 'directory', 'directories')}, ${humanBytes(statistics.bytes)}; ${humanBytes(statistics.addedBytes)} new, ${humanBytes(statistics.storedBytes)} stored`;

const attemptLines = ({ attempts = [] }: RunView): string[] => attempts.map(({ attempt, status, startedAt, endedAt, code, detail }) =>
  `${attempt} ${status}${startedAt ? ` ${startedAt}` : ''}${startedAt && endedAt ? ` for ${tookOf(startedAt, endedAt)}` : ''}${code ? `: ${detail ?? ''} [${code}]` : ''}`);

/** Everything that a person wants of a run, a line each; what could not be read or written comes last. */
export const runText = (run: RunView, names: Names): string => {
  const rows: (readonly [string, string | undefined])[] = [
    ['id', run.id], ['task', run.taskName], ['kind', kindText(run)], ['node', whereOf(run, names)], ['status', run.status], ['why', whyOf(run) || undefined],
    ['parent', run.parent], ['children', run.children && childrenLine(run)],
    ['requested', `${run.requestedAt}${run.cause ? ` by ${run.cause}` : ''}`], ['scheduled for', run.scheduledFor],
    ['started', run.startedAt], ['finished', run.finishedAt && `${run.finishedAt} after ${tookOf(run.startedAt ?? run.requestedAt, run.finishedAt)}`],
    ['snapshot', run.snapshot], ['counted', countsOf(run)],
    ...attemptLines(run).map((line) => ['attempt', line] as const),
    ...(run.faults ?? []).map(({ path, code, detail }) => ['fault', `${path}: ${detail} [${code}]`] as const),
    ['faults in all', run.faultCount ? String(run.faultCount) : undefined],
  ];
  return table(['', ''], rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))).trimStart();
};
