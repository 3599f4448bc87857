import { expect, it } from 'vitest';
import { fault } from '#kernel';
import { endOf, help, helpOf, usages } from './usage.ts';

it('a verb names its own flags, every other word what there is', () => {
  for (const [verb, usage] of Object.entries(usages)) {
    expect(usage).toContain(`holdfast-agent ${verb} [`.slice(0, -2));
    expect([helpOf(verb), help.includes(`\n  ${verb}`)]).toEqual([usage, true]);
  }
  for (const word of ['--help', 'constructor', 'serve']) expect(helpOf(word)).toBe(help);
});

it('an error ends the program with words or an object, with 2 where the caller was mistaken and 1 otherwise', () => {
  expect(endOf(fault('validation', 'invalid-arguments', 'Say more.'), false)).toEqual({ words: 'invalid-arguments: Say more.', exitCode: 2 });
  expect(endOf(fault('refused', 'not-enrolled', 'No.'), true)).toEqual({ words: '{"message_type":"error","code":"not-enrolled","detail":"No."}', exitCode: 1 });
  expect(endOf(new Error('broken'), false)).toEqual({ words: 'internal-error: broken', exitCode: 1 });
});
