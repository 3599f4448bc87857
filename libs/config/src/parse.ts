import type { Parse } from './setting.ts';

/** A whole number. */
export const asInteger: Parse<number> = (text) => {
  if (!/^-?\d{1,15}$/.test(text.trim())) throw new Error('must be a whole number');
  return Number(text);
};

/** `true`, `false`, `1`, `0`, `yes`, `no`, `on`, `off`. */
export const asBoolean: Parse<boolean> = (text) => {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new Error('must be true or false');
};

/** Entries divided by commas. */
export const asList: Parse<readonly string[]> = (text) => text.split(',').map((entry) => entry.trim()).filter(Boolean);

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds from `500ms`, `30s`, `5m`, `24h`, `7d`, or a bare number of seconds. */
export const asDuration: Parse<number> = (text) => {
  const found = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text.trim());
  if (!found) throw new Error('must be a duration such as 30s, 5m or 24h');
  return Number(found[1]) * (units[found[2] ?? 's'] ?? 1000);
};
