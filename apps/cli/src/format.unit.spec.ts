import { expect, it } from 'vitest';
import { humanBytes, humanDuration, printable, table } from './format.ts';

it.each([[0, '0 B'], [1023, '1023 B'], [1024, '1.00 KiB'], [1536, '1.50 KiB'], [20 * 1024 ** 2, '20.0 MiB'], [3 * 1024 ** 5, '3.00 PiB']])(
  '%d bytes read %s', (bytes, text) => expect(humanBytes(bytes)).toBe(text));

it.each([[850, '850 ms'], [12_340, '12.3 s'], [245_000, '4m 05s'], [7_380_000, '2h 03m']])('%d ms read %s', (ms, text) =>
  expect(humanDuration(ms)).toBe(text));

it('a name from a foreign host cannot move the cursor of who reads it', () => {
  expect(printable('a\u001b[2Jb\nc')).toBe('a\\x1b[2Jb\\x0ac');
});

it('columns line up, also under names that are twice as wide', () => {
  expect(table(['NAME', 'N'], [['日本', '1'], ['ab', '22']])).toBe('NAME  N\n日本  1\nab    22');
});
