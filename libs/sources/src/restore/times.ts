const second = 1_000_000_000n;

/**
 * Seconds for `fs.utimes`, from nanoseconds. Node takes them as a double, so a time comes out up to 120 ns (from 2038 on 240 ns) beside what
 * was asked. A string for times before 1970, as Node takes negative numbers for the present.
 */
export const utimesArgument = (ns: bigint): number | string => {
  const whole = ns / second;
  const seconds = Number(whole) + Number(ns - whole * second) / 1e9;
  return seconds < 0 ? String(seconds) : seconds;
};

/** How far a restored modification time may be beside the recorded one, for times between 1900 and 2100. */
export const mtimeToleranceNs = 1000n;

/** True when both name the same time, as near as Node can set it. */
export const sameTime = (a: bigint, b: bigint, toleranceNs: bigint = mtimeToleranceNs): boolean =>
  (a > b ? a - b : b - a) <= toleranceNs;
