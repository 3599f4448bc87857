import { expect, it } from 'vitest';
import { storableJson } from './storable-json.ts';

const through = (value: unknown): unknown => JSON.parse(storableJson(JSON.stringify(value)));

it('characters that Postgres cannot keep become U+FFFD, in values and in keys', () => {
  expect(through({ 'a\0': ['b\0c', '\ud800', 'x\udc00y', '\ud800\ud800'] })).toEqual({ 'a\ufffd': ['b\ufffdc', '\ufffd', 'x\ufffdy', '\ufffd\ufffd'] });
});
it('everything else stays as it is', () => {
  const value = { text: 'gr\u00fc\u00dfe \u2603 \u{1f600} \\u0000 \\\\ud800 \n\u0001 "quoted" C:\\users', number: 1, nothing: null };
  expect(through(value)).toEqual(value);
  expect(JSON.parse(storableJson('"\\ud83d\\ude00 \\\\u0000 \\u0041"'))).toBe('\u{1f600} \\u0000 A');
});
