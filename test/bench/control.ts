/**
 * What the control plane does in a second, on real servers with fsync before every acknowledgement of the log.
 *
 *   npm run bench:control -- [--json] [--only log|dispatch] [--commands 20000] [--workers 128] [--events 1000000]
 *     [--nodes 60] [--tasks 4] [--rates 1,50,100] [--seconds 20] [--profile FOLDER]
 *   npm run bench:control -- --stack http://127.0.0.1:PORT --key KEY --task TASK --nats URL --creds FILE [--rates 100] [--seconds 20]
 *
 * The first form starts everything itself, stand-ins for the agents of a fleet included, and measures the log and then the time from
 * `POST /tasks/{id}:run` to the agent holding the command. The second form drives a stack that runs. Rates depend on the disk (one
 * fsync an event): `fsync_ms` says what it takes here; TMPDIR chooses the disk. Without TMPDIR the log is on the disk of temporary files, as its rates
 * are about fsync, and the servers of the dispatch part keep their files in memory, as its times are about processors. CPU seconds are those of
 * all processes of a part.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Driven, dispatchLatency, watchStack } from './control/dispatch.ts';
import { startFleet } from './control/fleet.ts';
import { appendRates, fillLog, projectRate, rebuildRate, visibleAfter } from './control/log.ts';
import { startBenchStack } from './control/stack.ts';
import { measureUsage, peakMiB } from './control/usage.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    commands: { type: 'string', default: '20000' },
    workers: { type: 'string', default: '128' },
    events: { type: 'string', default: '1000000' },
    stack: { type: 'string' }, key: { type: 'string' }, task: { type: 'string' }, nats: { type: 'string' }, creds: { type: 'string' },
    only: { type: 'string' }, profile: { type: 'string' },
    nodes: { type: 'string', default: '60' },
    tasks: { type: 'string', default: '4' },
    rates: { type: 'string', default: '1,50,100' },
    seconds: { type: 'string', default: '20' },
  },
});

const result: Record<string, unknown> = {};
const note = (name: string, value: unknown): void => {
  result[name] = value;
  if (!values.json) console.log(`${name} ${JSON.stringify(value)}`);
};

/** Median time of an fsync after a small write, where the servers of the benchmark keep their files. */
const fsyncMs = (): number => {
  const file = join(tmpdir(), `holdfast-bench-${process.pid}`);
  const handle = openSync(file, 'w');
  const times = Array.from({ length: 200 }, () => {
    const start = performance.now();
    writeSync(handle, Buffer.alloc(700));
    fsyncSync(handle);
    return performance.now() - start;
  }).sort((a, b) => a - b);
  closeSync(handle);
  rmSync(file);
  return Number((times[100] ?? 0).toFixed(3));
};

const ofTheLog = async (): Promise<void> => {
  note('fsync_ms', fsyncMs());
  const stack = await startBenchStack();
  try {
    note('appended', await appendRates(stack, Number(values.commands), Number(values.workers)));
    note('visible_ms', await visibleAfter(stack, 500));
    await stack.clear();
    note('filled', await fillLog(stack, Number(values.events)));
    note('projected', await projectRate(stack));
    note('rebuilt', await rebuildRate(stack));
    note('bench_peak_mib', peakMiB(process.pid));
  } finally {
    await stack.stop();
  }
};

const drive = async (driven: Driven, pids: Readonly<Record<string, number>>): Promise<void> => {
  for (const rate of values.rates.split(',').map(Number)) {
    // What the fleet of stand-ins left behind before is not collected while requests wait for this process.
    globalThis.gc?.();
    const used = measureUsage(pids);
    note(`dispatch_ms_at_${rate}`, { ...(await dispatchLatency(driven, rate, Number(values.seconds))), cpu_seconds: used() });
  }
};

const memory = '/dev/shm';

const ofDispatch = async (): Promise<void> => {
  if (process.env['TMPDIR'] === undefined && existsSync(memory)) process.env['TMPDIR'] = memory;
  note('dispatch_files', { in: tmpdir(), fsync_ms: fsyncMs() });
  const fleet = await startFleet({ nodes: Number(values.nodes), tasksPerNode: Number(values.tasks), ...(values.profile ? { profile: values.profile } : {}) });
  try {
    await drive(fleet, fleet.pids);
    note('master_peak_mib', peakMiB(fleet.pids.master));
  } finally {
    await fleet.stop();
  }
};

const ofAStack = async (): Promise<void> => {
  const { stack: url, key, task, nats, creds } = values;
  if (!url || !key || !task || !nats || !creds) throw new Error('With --stack also give --key, --task, --nats and --creds');
  const driven = await watchStack({ url, key, task, nats, creds });
  await drive(driven, {}).finally(() => driven.close());
};

if (values.stack) await ofAStack();
else {
  if (values.only !== 'dispatch') await ofTheLog();
  if (values.only !== 'log') await ofDispatch();
}
if (values.json) console.log(JSON.stringify({ message_type: 'summary', benchmark: 'control', ...result }));
