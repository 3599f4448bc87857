import { type Clock, fault, isAppError, messageOf } from '#kernel';

/** A dependency that a process cannot work without, or something that somebody must be told of. */
export interface HealthIndicator {
  /** Short and stable: `bus`, `postgres`. */
  readonly name: string;
  /** True: it is shown, and the process counts as healthy without it. Default false. */
  readonly advisory?: boolean;
  /** Resolves when it works; rejects with what is wrong. */
  readonly check: () => Promise<void>;
}

/** How a dependency is. `detail` says what to do and holds no secret. */
export interface IndicatorReport {
  readonly status: 'up' | 'down';
  readonly milliseconds: number;
  readonly code?: string;
  readonly detail?: string;
}

/** How a process is. */
export interface HealthReport {
  readonly healthy: boolean;
  readonly indicators: Readonly<Record<string, IndicatorReport>>;
}

/** Errors that are not ours are told by their class only: their text may name hosts and users. */
const failureOf = (error: unknown): Pick<IndicatorReport, 'code' | 'detail'> => isAppError(error)
  ? { code: error.code, detail: error.detail }
  : { code: 'internal', detail: 'It does not work; the log says why' };

const probe = async ({ name, check }: HealthIndicator, clock: Clock, timeoutMs: number, onFailure: (name: string, reason: string) => void): Promise<IndicatorReport> => {
  const started = clock.monotonic();
  const patience = new AbortController();
  const late = clock.sleep(timeoutMs, patience.signal).then(() => {
    throw fault('unavailable', 'no-answer', `It did not answer within ${timeoutMs} ms`);
  });
  late.catch(() => undefined);
  const elapsed = (): number => Math.round(clock.monotonic() - started);
  try {
    await Promise.race([check(), late]);
    return { status: 'up', milliseconds: elapsed() };
  } catch (error) {
    onFailure(name, messageOf(error));
    return { status: 'down', milliseconds: elapsed(), ...failureOf(error) };
  } finally {
    patience.abort();
  }
};

/** What a health check needs. */
export interface HealthOptions {
  readonly clock: Clock;
  /** Milliseconds for each indicator; they are asked at the same time. Default 2,000. */
  readonly timeoutMs?: number;
  /** For the log. */
  readonly onFailure?: (name: string, reason: string) => void;
}

/** Asks all indicators; never rejects. */
export const checkHealth = async (indicators: readonly HealthIndicator[], options: HealthOptions): Promise<HealthReport> => {
  const { clock, timeoutMs = 2000, onFailure = () => undefined } = options;
  const reports = await Promise.all(indicators.map(async (indicator) => ({ indicator, report: await probe(indicator, clock, timeoutMs, onFailure) })));
  return {
    healthy: reports.every(({ indicator, report }) => indicator.advisory === true || report.status === 'up'),
    indicators: Object.fromEntries(reports.map(({ indicator, report }) => [indicator.name, report])),
  };
};
