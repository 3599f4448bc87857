import { fault, messageOf } from '#kernel';

const code = 'facts-incomplete';

/** Does each step even when one before it fails; returns the errors. */
export const attemptAll = (steps: readonly (() => unknown)[]): readonly unknown[] => {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
};

/** Throws `facts-incomplete` when there are errors: the entry itself is there, and must not be removed for its owner or mode. */
export const assertComplete = (errors: readonly unknown[]): void => {
  if (errors.length > 0) throw fault('internal', code, `Restored without all of its owner, mode and times: ${errors.map(messageOf).join('; ')}`);
};

/** True for the error above, also when it crossed from another thread as an error or text. */
export const isFactsIncomplete = (error: unknown): boolean => messageOf(error).startsWith(`${code}:`) || (error as { code?: unknown })?.code === code;
