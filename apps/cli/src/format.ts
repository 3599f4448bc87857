const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes in IEC units, for people: `1.5 GiB`. */
export const humanBytes = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
};

/** Milliseconds as `850 ms`, `12.3 s`, `4m 05s` or `2h 03m`. */
export const humanDuration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  const padded = (value: number): string => String(value).padStart(2, '0');
  return minutes < 60 ? `${minutes}m ${padded(Math.floor(seconds % 60))}s` : `${Math.floor(minutes / 60)}h ${padded(minutes % 60)}m`;
};

/** How wide text stands in a terminal, near enough for tables: combining marks count 0, East Asian wide characters 2. */
const width = (text: string): number => {
  let columns = 0;
  for (const character of text.replace(/\p{Mark}/gu, '')) columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(character) ? 2 : 1;
  return columns;
};

/** Control characters of names that came from elsewhere would move the cursor of whoever reads them. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A table with a header line; columns are as wide as their widest cell. */
export const table = (header: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)))).join('  ').trimEnd();
  return all.map(line).join('\n');
};
