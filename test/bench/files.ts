import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * Measures the engine on its own against restic, in alternation, on copies of one tree: first backup, unchanged second backup, backup
 * after 1 % of the files changed, full restore, restore of one directory. CPU is user and system time of all processes, memory the
 * highest sum of their resident peaks. Needs the built command line; restic comes from PATH or `--restic FILE`. Nothing is removed
 * before the end: a file system without a journal (ext4) searches long for inodes after many were freed, whoever comes next.
 */
interface Measurement {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

interface Contender {
  readonly name: string;
  readonly prepare: () => void;
  readonly backup: () => string[];
  readonly restore: (to: string, path?: string) => string[];
  readonly stored: () => number;
}

const here = dirname(fileURLToPath(import.meta.url));
const root = [resolve(here, '../..'), resolve(here, '../../..')].find((folder) => existsSync(join(folder, 'scripts', 'holdfast'))) ?? process.cwd();

const { values } = parseArgs({
  options: {
    source: { type: 'string' }, peers: { type: 'string', default: 'restic' }, json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1' }, restic: { type: 'string', default: 'restic' }, work: { type: 'string' },
  },
});

/** Where the stack of a program begins: another place after each exec, the same one before it. */
const stackOf = (pid: number): string | undefined => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[25];
};

/** KiB. A child that has not become its program yet still has its parent's memory, and is not counted twice. */
const peakOf = (pid: number, parent?: string): number => {
  let sum = 0;
  try {
    const stack = stackOf(pid);
    if (stack !== '0' && stack === parent) return 0;
    sum += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')) if (child.trim()) sum += peakOf(Number(child), stack);
  } catch {
    // It ended meanwhile.
  }
  return sum;
};

/** Bash's `time` counts all processes that were waited for. */
const measure = async (command: readonly string[]): Promise<Measurement> => {
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>"$0"';
  const log = join(work, 'last-command.log');
  const child = spawn('bash', ['-c', script, log, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let peak = 0;
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const sampling = setInterval(() => { peak = Math.max(peak, peakOf(child.pid ?? 0)); }, 20);
  const code = await new Promise<number | null>((resolve_) => child.on('close', resolve_));
  clearInterval(sampling);
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}: ${readFileSync(log, 'utf8').slice(0, 2000)}`);
  const [wall = 0, user = 0, system = 0] = (output.trim().split('\n').pop() ?? '').split(' ').map(Number);
  return { wallSeconds: wall, cpuSeconds: Number((user + system).toFixed(3)), peakMiB: Math.round(peak / 1024) };
};

const run = (command: readonly string[]): string => {
  const done = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command.join(' ')} ended with ${String(done.status)}: ${done.stderr}`);
  return done.stdout;
};

/** Every file below a folder. Node's own recursive listing would follow a link to a directory, for ever where it points upwards. */
const filesOf = (folder: string): string[] => readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
  const path = join(folder, item.name);
  if (item.isDirectory()) return filesOf(path);
  return item.isFile() ? [path] : [];
}).sort();

const sizeOf = (folder: string): number => filesOf(folder).reduce((sum, file) => sum + statSync(file).size, 0);

const holdfast = (tree: string, place: string): Contender => {
  const command = join(root, 'scripts', 'holdfast');
  const [repository, state, identity] = ['repository', 'state', 'identity'].map((name) => join(place, name)) as [string, string, string];
  return {
    name: 'holdfast',
    prepare: () => {
      const text = run([command, 'repo', 'keygen']);
      writeFileSync(identity, text, { mode: 0o600 });
      run([command, 'repo', 'init', '--repository', repository, '--state', state, '--recipient', /age1\S+/.exec(text)?.[0] ?? '']);
    },
    backup: () => [command, 'repo', 'backup', '--json', '--repository', repository, '--state', state, tree],
    restore: (to, path) => [
      command, 'repo', 'restore', '--json', '--repository', repository, '--identity', identity, `latest${path ? `:${path}` : ''}`, '--to', to,
    ],
    stored: () => sizeOf(repository),
  };
};

const restic = (tree: string, place: string): Contender => {
  const [repository, cache, password] = ['repository', 'cache', 'password'].map((name) => join(place, name)) as [string, string, string];
  const command = [values.restic, '-q', '-r', repository, '--cache-dir', cache, '--password-file', password];
  return {
    name: 'restic',
    prepare: () => {
      writeFileSync(password, 'benchmark\n', { mode: 0o600 });
      run([...command, 'init']);
    },
    backup: () => [...command, 'backup', tree],
    restore: (to, path) => [...command, 'restore', `latest${path ? `:${path}` : ''}`, '--target', to],
    stored: () => sizeOf(repository),
  };
};

/** Appends a line to every hundredth file of the copy. */
const changeOnePercent = (files: readonly string[], round: number): void => {
  files.forEach((file, index) => {
    if (index % 100 === round % 100) appendFileSync(file, `changed in round ${round}\n`);
  });
};

/** A directory of the middle of the tree, so that neither has it at hand. */
const someDirectory = (files: readonly string[]): string => dirname(files[Math.floor(files.length / 2)] ?? '/');

type Results = Record<string, Record<string, Measurement[]>>;

const note = (results: Results, step: string, name: string, measured: Measurement): void => {
  ((results[step] ??= {})[name] ??= []).push(measured);
  if (!values.json) console.log(`${step.padEnd(20)} ${name.padEnd(9)} ${measured.wallSeconds.toFixed(2)} s wall  ${measured.cpuSeconds.toFixed(2)} s CPU  ${measured.peakMiB} MiB`);
};

const oneRound = async (round: number, tree: string, results: Results): Promise<Record<string, number>> => {
  const names = ['holdfast', ...values.peers.split(',').filter((peer) => peer === 'restic')];
  const contenders = names.map((name) => {
    const place = join(work, `${name}-${round}`);
    mkdirSync(place);
    return name === 'holdfast' ? holdfast(tree, place) : restic(tree, place);
  });
  const ordered = round % 2 === 0 ? contenders : [...contenders].reverse();
  const files = filesOf(tree);
  const each = async (step: string, command: (contender: Contender) => string[]): Promise<void> => {
    for (const contender of ordered) note(results, step, contender.name, await measure(command(contender)));
  };
  contenders.forEach((contender) => contender.prepare());
  await each('first backup', (contender) => contender.backup());
  const stored = Object.fromEntries(contenders.map((contender) => [contender.name, contender.stored()]));
  await each('unchanged backup', (contender) => contender.backup());
  changeOnePercent(files, round);
  await each('1 % changed backup', (contender) => contender.backup());
  const target = (contender: Contender, what: string): string => join(work, `${contender.name}-${round}`, what);
  await each('one directory', (contender) => contender.restore(target(contender, 'directory'), someDirectory(files)));
  for (const contender of ordered) {
    note(results, 'full restore', contender.name, await measure(contender.restore(target(contender, 'all'))));
    run(['diff', '-r', '--no-dereference', tree, join(target(contender, 'all'), tree)]);
  }
  return stored;
};

const best = (measured: readonly Measurement[], fact: keyof Measurement): number => Math.min(...measured.map((one) => one[fact]));

const ratios = (results: Results): Record<string, Record<string, number>> => Object.fromEntries(Object.entries(results).flatMap(([step, by]) => {
  const [ours, theirs] = [by['holdfast'], by['restic']];
  if (!ours || !theirs) return [];
  const ratio = (fact: keyof Measurement): number => Number((best(ours, fact) / best(theirs, fact)).toFixed(3));
  return [[step, { wall: ratio('wallSeconds'), cpu: ratio('cpuSeconds'), memory: ratio('peakMiB') }]];
}));

if (!values.source) throw new Error('Say which tree to measure on: --source DIR');
const work = mkdtempSync(join(values.work ?? tmpdir(), 'holdfast-bench-'));
try {
  const tree = join(work, 'tree');
  run(['cp', '-a', resolve(values.source), tree]);
  const results: Results = {};
  let stored: Record<string, number> = {};
  for (let round = 0; round < Number(values.rounds); round++) stored = await oneRound(round, tree, results);
  const summary = {
    message_type: 'summary', source: resolve(values.source), files: filesOf(tree).length, bytes: sizeOf(tree), cores: cpus().length,
    memory_bytes: totalmem(), node: process.version, results, stored_bytes: stored,
    ratios: { ...ratios(results), stored: stored['restic'] ? Number(((stored['holdfast'] ?? 0) / stored['restic']).toFixed(4)) : undefined },
  };
  console.log(values.json ? JSON.stringify(summary) : JSON.stringify(summary.ratios, undefined, 2));
} finally {
  rmSync(work, { recursive: true, force: true });
}
