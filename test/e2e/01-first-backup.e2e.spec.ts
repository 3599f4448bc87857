import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeFidelityTree } from '#sources/testing';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
const data = join(room, 'data');
const tree = join(room, 'tree');
makeFidelityTree(tree);
// What calls itself a cache is left out of tasks; who asks whether a path comes back means all of it.
mkdirSync(join(tree, 'cache'));
writeFileSync(join(tree, 'cache', 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n');
writeFileSync(join(tree, 'cache', 'kept'), 'x');
afterAll(() => rmSync(room, { recursive: true, force: true }));

interface Summary {
  readonly message_type: string;
  readonly snapshot_id: string;
  readonly files: number;
  readonly bytes: number;
  readonly added_bytes: number;
  readonly identical: boolean;
}

/** The quick start as a user types it; its last line is the summary. */
const quickstart = (...args: string[]): { readonly code: number | null; readonly summary: Summary; readonly words: string } => {
  const { status, stdout, stderr } = spawnSync(join(root, 'scripts', 'quickstart.sh'), ['--data', data, '--exit', ...args], { encoding: 'utf8', timeout: 170_000 });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  return { code: status, summary: JSON.parse(last.startsWith('{') ? last : '{}') as Summary, words: `${stdout}\n${stderr}` };
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Processes that work in the stack's directory: it stands in their arguments or in their environment. */
const leftBehind = (): string[] =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .filter((pid) => `${textOf(`/proc/${pid}/cmdline`)} ${textOf(`/proc/${pid}/environ`)}`.includes(data))
    .map((pid) => textOf(`/proc/${pid}/cmdline`));

it('a tree with everything a file system can hold comes back identical, and the stack leaves no process behind', () => {
  const { code, summary, words } = quickstart(tree);
  expect({ code, summary, words: code === 0 ? '' : words }).toMatchObject({ code: 0, summary: { message_type: 'summary', identical: true }, words: '' });
  expect(summary.files).toBeGreaterThan(10);
  expect(leftBehind()).toEqual([]);
});

it('a second start on the same data keeps everything and makes an incremental snapshot', () => {
  appendFileSync(join(tree, 'files', 'small'), 'and one line more\n');
  const { code, summary } = quickstart(tree);
  expect(code).toBe(0);
  expect(summary.identical).toBe(true);
  expect(summary.added_bytes).toBeGreaterThan(0);
  // The line, and the one manifest chunk that names the changed file: nothing of the other contents.
  expect(summary.added_bytes).toBeLessThan(summary.bytes / 100);
  expect(execFileSync('ls', [join(data, 'keys')], { encoding: 'utf8' })).toContain('COMPLETE');
});

it('a terminal that is closed ends the stack in order: no process stays', async () => {
  const stack = await EmbeddedStack.start(data);
  expect(leftBehind().length).toBeGreaterThanOrEqual(5);
  expect(await stack.stop('SIGHUP')).toBe(0);
  expect(leftBehind()).toEqual([]);
});
