import { fault } from '#kernel';

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of `90s`, `15m`, `24h`, `7d`; of a number alone: it says so. Throws `invalid-arguments`. */
export const secondsOf = (text: string): number => {
  const [, number = '', unit = 's'] = /^(\d{1,7})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(number) * (units[unit] ?? Number.NaN);
  if (!number || !Number.isInteger(seconds)) throw fault('validation', 'invalid-arguments', `${text} is no length of time; write one such as 90s, 15m, 24h or 7d`);
  return seconds;
};

/** A whole number as it is typed. Throws `invalid-arguments`; whether it is in bounds is for the master to say. */
export const numberOf = (flag: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw fault('validation', 'invalid-arguments', `${flag} ${text} is no whole number`);
  return Number(text);
};
