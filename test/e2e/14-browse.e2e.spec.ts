import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { accessOf, cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { type RunView, addTask, runEnded } from '../support/runs.ts';

interface Directory {
  readonly items: readonly { readonly name: string; readonly path: string; readonly path64?: string; readonly type?: string; readonly size?: number }[];
  readonly total: number;
  readonly nextCursor?: string;
  readonly error?: string;
}

const room = mkdtempSync(join(tmpdir(), 'holdfast-browse-'));
const odd = Buffer.from([0x6f, 0xff, 0x64]);
let stack: EmbeddedStack;
let access: Record<string, string>;

beforeAll(async () => {
  mkdirSync(join(room, 'many'));
  for (let i = 0; i < 1500; i++) writeFileSync(join(room, 'many', String(i).padStart(4, '0')), 'x');
  mkdirSync(join(room, 'huge'));
  writeFileSync(join(room, 'huge', 'holes'), '');
  truncateSync(join(room, 'huge', 'holes'), 4 * 1024 ** 4);
  mkdirSync(Buffer.concat([Buffer.from(`${room}/`), odd]));
  writeFileSync(Buffer.concat([Buffer.from(`${room}/`), odd, Buffer.from('/inside')]), 'four');
  stack = await EmbeddedStack.start(join(room, 'data'));
  access = await accessOf(stack);
  // The stack serves before its agent has connected.
  await waitUntil(() => browse({ path: '/' }));
}, 150_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

const browse = (query: Record<string, string>): Promise<Directory> => stack.call<Directory>('GET', `/api/v1/nodes/${stack.node}/browse?${new URLSearchParams(query).toString()}`);

describe('an operator who chooses what to back up', () => {
  it('walks into any directory, also one whose name is no text, in pages of a size of their choice', async () => {
    const top = await browse({ path: room });
    expect(top.items.map(({ name, type }) => [name, type])).toEqual([['data', 'directory'], ['huge', 'directory'], ['many', 'directory'], ['o\\xffd', 'directory']]);
    const inside = await browse({ path64: top.items[3]?.path64 ?? '' });
    expect(inside.items).toMatchObject([{ name: 'inside', type: 'file', size: 4 }]);
    const seen: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page: Directory = await browse({ path: join(room, 'many'), limit: '400', ...(cursor ? { cursor } : {}) });
      expect(page.total).toBe(1500);
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: 1500 }, (_, i) => String(i).padStart(4, '0')));
  });

  it('is answered while a backup runs, and the backup goes on', async () => {
    const { id } = await stack.call<RunView>('POST', `/api/v1/tasks/${await addTask(stack, 'endless', [join(room, 'huge')], { retries: { max: 0 } })}:run`);
    await waitUntil(async () => (await stack.call<RunView>('GET', `/api/v1/runs/${id}`)).progress);
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const started = performance.now();
      expect((await browse({ path: room })).total).toBe(4);
      times.push(performance.now() - started);
    }
    // Far below anything that waited for the backup, on however slow a machine; about ten milliseconds where nothing else runs.
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(1_000);
    expect(await stack.call<RunView>('GET', `/api/v1/runs/${id}`)).toMatchObject({ status: 'running' });
    await stack.call('POST', `/api/v1/runs/${id}:cancel`);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'cancelled' });
  });

  it('finds the database of the stack itself, by its process, directory and port', async () => {
    const { code, out } = await cli(stack, ['--json', 'nodes', 'discover', stack.node], access);
    expect(code).toBe(0);
    const mine = messagesOf(out).find((one) => one.message_type === 'discovery' && one['kind'] === 'postgresql' && String(one['path']).startsWith(stack.data));
    expect(mine).toMatchObject({ running: true });
    expect((mine?.['evidence'] as { by: string }[]).map(({ by }) => by)).toEqual(expect.arrayContaining(['process', 'directory', 'port']));
  });

  it('sees the same on the command line, page after page', async () => {
    const many = await cli(stack, ['--json', 'nodes', 'browse', stack.node, join(room, 'many')], access);
    expect([many.code, messagesOf(many.out).length]).toEqual([0, 1500]);
    const few = await cli(stack, ['nodes', 'browse', stack.node, room, '--limit', '2'], access);
    expect([few.code, few.out.trim().split('\n').length, few.words]).toEqual([0, 3, expect.stringContaining('4 names')]);
    expect(await cli(stack, ['nodes', 'browse', stack.node, join(room, 'missing')], access)).toMatchObject({ code: 4, out: expect.stringContaining('ENOENT') as string });
    expect(await cli(stack, ['nodes', 'browse', stack.node, 'relative'], access)).toMatchObject({ code: 2, words: expect.stringContaining('invalid-request') as string });
  });

  it('is told within seconds that an agent does not answer, and is answered again when it does', async () => {
    stack.pause('agent');
    try {
      const started = performance.now();
      await expect(browse({ path: '/' })).rejects.toThrow(/503 .*node-(answers-late|offline)/);
      expect(performance.now() - started).toBeLessThan(15_000);
    } finally {
      stack.resume('agent');
    }
    expect((await waitUntil(() => browse({ path: '/' }))).total).toBeGreaterThan(0);
  });
});
