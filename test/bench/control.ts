/**
 * What the control plane does in a second, on real servers with fsync before every acknowledgement of the log.
 *
 *   npm run bench:control -- [--json] [--commands 20000] [--workers 128] [--events 1000000]
 */
import { parseArgs } from 'node:util';
import { appendRates, fillLog, projectRate, rebuildRate, visibleAfter } from './control/log.ts';
import { startBenchStack } from './control/stack.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    commands: { type: 'string', default: '20000' },
    workers: { type: 'string', default: '128' },
    events: { type: 'string', default: '1000000' },
  },
});

const say = (text: string): void => { if (!values.json) console.log(text); };

const stack = await startBenchStack();
try {
  const result: Record<string, unknown> = {};
  const note = <T>(name: string, value: T): T => {
    result[name] = value;
    say(`${name} ${JSON.stringify(value)}`);
    return value;
  };
  note('appended', await appendRates(stack, Number(values.commands), Number(values.workers)));
  note('visible_ms', await visibleAfter(stack, 500));
  await stack.clear();
  note('filled', await fillLog(stack, Number(values.events)));
  note('projected', await projectRate(stack));
  note('rebuilt', await rebuildRate(stack));
  if (values.json) console.log(JSON.stringify({ message_type: 'summary', benchmark: 'control', ...result }));
} finally {
  await stack.stop();
}
