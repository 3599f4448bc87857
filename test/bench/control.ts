/**
 * What the control plane does in a second, on real servers with fsync before every acknowledgement of the log.
 *
 *   npm run bench:control -- [--json] [--commands 20000] [--workers 128] [--events 1000000]
 *   npm run bench:control -- --stack http://127.0.0.1:PORT --key KEY --task TASK --nats URL --creds FILE [--rate 100] [--seconds 30]
 *
 * The second form drives a running stack and measures the time from `POST /tasks/{id}:run` to the agent holding the command.
 * The log's rates depend on the disk (one fsync an event): `fsync_ms` says what it takes here; TMPDIR chooses the disk.
 */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dispatchLatency } from './control/dispatch.ts';
import { appendRates, fillLog, projectRate, rebuildRate, visibleAfter } from './control/log.ts';
import { startBenchStack } from './control/stack.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    commands: { type: 'string', default: '20000' },
    workers: { type: 'string', default: '128' },
    events: { type: 'string', default: '1000000' },
    stack: { type: 'string' }, key: { type: 'string' }, task: { type: 'string' }, nats: { type: 'string' }, creds: { type: 'string' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
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
  } finally {
    await stack.stop();
  }
};

const ofAStack = async (): Promise<void> => {
  const { stack: url, key, task, nats, creds } = values;
  if (!url || !key || !task || !nats || !creds) throw new Error('With --stack also give --key, --task, --nats and --creds');
  note('dispatch_ms', await dispatchLatency({ url, key, task, nats, creds }, Number(values.rate), Number(values.seconds)));
};

await (values.stack ? ofAStack() : ofTheLog());
if (values.json) console.log(JSON.stringify({ message_type: 'summary', benchmark: 'control', ...result }));
