import { expect, it } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import type { Progress } from '#contracts';
import { AttemptControl } from './attempt-control.ts';
import { hooksFor } from './attempt-hooks.ts';
import { RunLog } from './run-log.ts';

it('the progress of an attempt says how long it runs, and how long it will where that can be guessed', async () => {
  const clock = new FakeClock();
  const told: Progress[] = [];
  const telemetry = { log: () => undefined, heartbeat: () => undefined, progress: (_run: string, progress: Progress) => told.push(progress) };
  const log = new RunLog(telemetry, clock, { run: 'run_1', attempt: 2 });
  const hooks = hooksFor({ ask: { ask: () => Promise.reject(new Error('nothing is asked')), nextId: () => 'q', onBack: () => () => undefined }, clock, logger: silentLogger, telemetry },
    { run: 'run_1', attempt: 2, claim: 'c' }, { control: new AttemptControl(), log });
  const counted = { phase: 'content', files: 1, bytes: 250, storedBytes: 0, faults: 0 };
  await clock.advance(10_000);
  hooks.progress(counted);
  hooks.progress({ ...counted, totalFiles: 4, totalBytes: 1_000, estimated: true });
  log.close();
  expect(told).toEqual([
    { ...counted, attempt: 2, elapsedMs: 10_000 },
    { ...counted, totalFiles: 4, totalBytes: 1_000, estimated: true, attempt: 2, elapsedMs: 10_000, remainingMs: 30_000 },
  ]);
});
