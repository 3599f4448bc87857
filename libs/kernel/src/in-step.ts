import type { Clock } from './clock.ts';

/** Milliseconds between two steps. */
const stepMs = 2;

interface Steps {
  last: number;
  next: Promise<void> | undefined;
}

const steps = new WeakMap<object, Steps>();

/**
 * Waits for the next step of `connection`. Who comes alone waits for nothing; of those who come shortly one after the other all go on
 * in the same moment, at most 2 ms later, so that what each sends right then leaves in one write: that costs as much as one message does.
 */
export const inStep = (connection: object, clock: Clock): Promise<void> => {
  const known = steps.get(connection);
  const step = known ?? { last: -Infinity, next: undefined };
  if (!known) steps.set(connection, step);
  if (step.next) return step.next;
  const wait = step.last + stepMs - clock.monotonic();
  const passed = (): void => { [step.last, step.next] = [clock.monotonic(), undefined]; };
  if (wait > 0) return (step.next = clock.sleep(wait).then(passed));
  passed();
  return Promise.resolve();
};
