import { fault } from '#kernel';

/** Runs work that Ctrl-C or a polite kill ends in good order, with `cancelled`. */
export const interruptible = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const stop = (): void => controller.abort(fault('conflict', 'cancelled', 'It was interrupted; what is stored already is used by the next attempt'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
};
