import { describe, expect, it } from 'vitest';
import { FakeClock, silentLogger } from '#kernel';
import { ChildDataPlane, classifyEnd, inheritedFlags } from './child-data-plane.ts';
import type { DataPlaneHooks, WorkOrder } from './data-plane.port.ts';

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

describe('a data plane that cannot be started', () => {
  const attempt = (environment: Record<string, string>) =>
    new ChildDataPlane({ clock: new FakeClock(), logger: silentLogger, environment }).run({ run: 'r' } as WorkOrder, {} as DataPlaneHooks, new AbortController().signal);

  it('is a failure of the attempt when the system tells it later (ENOENT, as EAGAIN and EMFILE)', async () => {
    const { execPath } = process;
    process.execPath = '/nowhere/node';
    try {
      await expect(attempt({})).resolves.toMatchObject({ outcome: 'failed', code: 'data-plane-not-started', detail: expect.stringContaining('ENOENT') as string });
    } finally {
      process.execPath = execPath;
    }
  });

  it('is a failure of the attempt when the system tells it at once (E2BIG, as ENOMEM)', async () => {
    await expect(attempt({ LONG: 'x'.repeat(200_000) })).resolves.toMatchObject({ outcome: 'failed', code: 'data-plane-not-started', detail: expect.stringContaining('E2BIG') as string });
  });
});

describe('flags that a data plane inherits', () => {
  it('are those that find modules, in both spellings, and never those of a debugger', () => {
    expect(inheritedFlags(['--conditions=source', '-C', 'other', '--import', './x.mjs', '--inspect=9229', '--max-old-space-size=9', '--enable-source-maps']))
      .toEqual(['--conditions=source', '--conditions=other', '--import=./x.mjs']);
  });
});
