import type { AskMethod, ClaimReference, GrantAnswer, IdKeyAnswer, KnownChunksAnswer, PacksAnswer } from '#contracts';
import { type Clock, type Logger, fault, remainingMs } from '#kernel';
import type { DataPlaneHooks } from '../data-plane/data-plane.port.ts';
import type { AskClient, Question } from '../session/ask-client.port.ts';
import { askUntilAnswered } from '../session/ask-until-answered.ts';
import type { Telemetry } from '../session/bus.port.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { RunLog } from './run-log.ts';

interface HookDependencies {
  readonly ask: AskClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/** What a running attempt may do besides moving data; everything is asked under its claim, and a fenced claim ends the attempt. */
export const hooksFor = (deps: HookDependencies, holder: ClaimReference, { control, log }: { control: AttemptControl; log: RunLog }): DataPlaneHooks => {
  const began = deps.clock.monotonic();
  const ask = async <T>(method: AskMethod, question: Question): Promise<T> => {
    const patient = { client: deps.ask, clock: deps.clock, logger: deps.logger, signal: control.signal };
    const answer = await askUntilAnswered<T>(patient, method, { holder, ...question });
    if (answer.status === 'ok') return answer.value;
    if (answer.status === 'refused') throw fault('refused', answer.code, answer.detail);
    control.end('fenced');
    throw fault('refused', 'fenced', 'The attempt is no longer ours');
  };
  return {
    grants: async (objects) => (await ask<GrantAnswer>('grant', { objects })).grants,
    knownChunks: () => ask<KnownChunksAnswer>('known-chunks', {}),
    idKey: () => ask<IdKeyAnswer>('id-key', {}),
    packs: (after) => ask<PacksAnswer>('packs', after === undefined ? {} : { after }),
    progress: (progress) => {
      const elapsedMs = Math.round(deps.clock.monotonic() - began);
      const left = remainingMs(progress, elapsedMs);
      const timed = { elapsedMs, ...(left === undefined ? {} : { remainingMs: left }) };
      deps.telemetry.progress(holder.run, { ...progress, ...currentOf(progress.current), attempt: holder.attempt, ...timed });
    },
    log: (level, text) => log.add(level, text),
  };
};

/** A name as long as the contract allows. */
const currentOf = (current: string | undefined) => (current === undefined ? {} : { current: current.slice(0, 8_192) });
