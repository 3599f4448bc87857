import pino, { type DestinationStream } from 'pino';
import type { LogFields, Logger } from '#kernel';
import { redact, redactText } from './redact.ts';

/** How to log. */
export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Which program writes: `master`, `agent`. */
  readonly name: string;
  /** Where lines go; default the standard output. */
  readonly destination?: DestinationStream;
}

const over = (inner: pino.Logger): Logger => {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields): void => {
    if (inner.isLevelEnabled(level)) inner[level](fields ? (redact(fields) as object) : {}, redactText(message));
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => over(inner.child(redact(fields) as pino.Bindings)),
  };
};

/**
 * One JSON object a line: `level`, `time` (RFC 3339), `name`, `msg` and the fields. Secrets are taken out by name and by shape
 * before anything is written. Lines are written at once, so that the last ones before a crash are not lost.
 */
export const newLogger = ({ level, name, destination }: LoggerOptions): Logger => over(pino(
  {
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  },
  destination ?? pino.destination({ dest: 1, sync: true }),
));
