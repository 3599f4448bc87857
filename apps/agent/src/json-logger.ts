import pino from 'pino';
import type { Logger } from '#kernel';

const adapt = (inner: pino.Logger): Logger => ({
  debug: (message, fields) => inner.debug(fields ?? {}, message),
  info: (message, fields) => inner.info(fields ?? {}, message),
  warn: (message, fields) => inner.warn(fields ?? {}, message),
  error: (message, fields) => inner.error(fields ?? {}, message),
  child: (fields) => adapt(inner.child(fields)),
});

/** JSON lines on stderr, written before the call returns: the last line before a crash is there. */
export const jsonLogger = (level: string): Logger => adapt(pino({ level, base: null }, pino.destination({ dest: 2, sync: true })));
