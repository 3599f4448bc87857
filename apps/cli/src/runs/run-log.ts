import { type Clock, isAppError } from '#kernel';
import type { ApiClient } from '../api-client.ts';
import { type ServerEvent, serverEvents } from './server-events.ts';

/** A line of a run's log. */
export interface LogLine {
  readonly attempt: number;
  readonly n: number;
  readonly time: string;
  readonly level: string;
  readonly text: string;
}

/** What following a log needs; the signal ends it. */
export interface LogParts {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A master that restarts is back in less; one that is gone is told of. */
const patienceMs = 120_000;
const againMs = 1_000;

const pathOf = (run: string): string => `/api/v1/runs/${encodeURIComponent(run)}/log`;

/** The log as it is now. */
export async function* readLog(api: ApiClient, run: string): AsyncGenerator<LogLine> {
  for (let [after, more] = [0, true]; more;) {
    const page: { readonly lines: readonly LogLine[]; readonly position: number; readonly more: boolean } = await api.get(`${pathOf(run)}?after=${after}`);
    yield* page.lines;
    ({ position: after, more } = page);
  }
}

const eventsOf = async function* ({ api, signal }: LogParts, run: string, last: string): AsyncGenerator<ServerEvent> {
  const response = await api.stream(`${pathOf(run)}?follow=1`, last === '' ? {} : { 'last-event-id': last }, signal);
  if (response.status === 204) yield { event: 'end', id: last, data: '{}' };
  else if (response.body) yield* serverEvents(response.body);
};

/** The log, and each line as it comes until the run has ended; through restarts of the master, without losing or repeating a line. */
export async function* followLog(parts: LogParts, run: string): AsyncGenerator<LogLine> {
  const { clock, signal } = parts;
  let last = '';
  for (let heard = clock.monotonic(); ;) {
    try {
      for await (const { event, id, data } of eventsOf(parts, run, last)) {
        if (event === 'end') return;
        heard = clock.monotonic();
        if (event !== 'lines') continue;
        last = id;
        yield* (JSON.parse(data) as { readonly lines: readonly LogLine[] }).lines;
      }
    } catch (error) {
      signal.throwIfAborted();
      const mayHeal = !isAppError(error) || error.retryable || error.kind === 'internal';
      if (!mayHeal || clock.monotonic() - heard > patienceMs) throw error;
    }
    await clock.sleep(againMs, signal);
  }
}
