import type { LoggerService } from '@nestjs/common';
import type { Logger } from '#kernel';

/** The last extra argument of Nest's loggers is the context, those before it are details. */
const fieldsOf = (extra: readonly unknown[]): { context?: unknown; details?: readonly unknown[] } => {
  const [context, ...details] = [...extra].reverse();
  return { ...(context === undefined ? {} : { context }), ...(details.length > 0 ? { details: details.reverse() } : {}) };
};

const textOf = (message: unknown): string => (message instanceof Error ? message.message : typeof message === 'string' ? message : JSON.stringify(message));

/** Sends what Nest itself logs through our logger. Nest's chatter about modules and routes is of level debug. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: (message: unknown, ...extra: unknown[]) => log.debug(textOf(message), fieldsOf(extra)),
  verbose: (message: unknown, ...extra: unknown[]) => log.debug(textOf(message), fieldsOf(extra)),
  debug: (message: unknown, ...extra: unknown[]) => log.debug(textOf(message), fieldsOf(extra)),
  warn: (message: unknown, ...extra: unknown[]) => log.warn(textOf(message), fieldsOf(extra)),
  error: (message: unknown, ...extra: unknown[]) => log.error(textOf(message), { ...fieldsOf(extra), ...(message instanceof Error ? { error: message } : {}) }),
  fatal: (message: unknown, ...extra: unknown[]) => log.error(textOf(message), fieldsOf(extra)),
});
