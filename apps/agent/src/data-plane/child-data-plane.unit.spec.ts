import { describe, expect, it } from 'vitest';
import { classifyEnd, inheritedFlags } from './child-data-plane.ts';

describe('the end of a data plane without a result', () => {
  it.each([
    [null, 'SIGKILL', '', 'data-plane-killed'],
    [null, 'SIGABRT', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'data-plane-out-of-memory'],
    [134, null, 'JavaScript heap out of memory', 'data-plane-out-of-memory'],
    [1, null, 'TypeError: x is not a function', 'data-plane-crashed'],
    [null, 'SIGSEGV', '', 'data-plane-crashed'],
  ] as const)('exit code %s, signal %s, output %j is %s', (code, signal, output, expected) => {
    const result = classifyEnd(code, signal, output);
    expect(result).toMatchObject({ outcome: 'failed', code: expected });
    expect(result.detail).not.toBe('');
  });
});

describe('flags that a data plane inherits', () => {
  it('are those that find modules, in both spellings, and never those of a debugger', () => {
    expect(inheritedFlags(['--conditions=source', '-C', 'other', '--import', './x.mjs', '--inspect=9229', '--max-old-space-size=9', '--enable-source-maps']))
      .toEqual(['--conditions=source', '--conditions=other', '--import=./x.mjs']);
  });
});
