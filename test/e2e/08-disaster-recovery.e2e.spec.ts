import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { accessOf, cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack, holdfast } from '../support/embedded-stack.ts';
import { addTask, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';
import { waitUntil } from '#testing';

const room = mkdtempSync(join(tmpdir(), 'holdfast-recovery-'));
const tree = join(room, 'tree');
const identity = join(room, 'recovery.key');
const data = join(room, 'data');
let stack: EmbeddedStack;
let access: Record<string, string>;
let task: string;
let [before, after]: string[] = [];

/** A command of the engine alone: no stack, no address of one in its environment. */
const repo = (...args: string[]): { readonly code: number | null; readonly out: string; readonly words: string } => {
  const { status, stdout, stderr } = spawnSync(holdfast, ['repo', ...args], { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env['PATH'], HOME: room } });
  return { code: status, out: stdout, words: stderr };
};

beforeAll(async () => {
  smallTree(tree);
  // A socket outlives its program as an entry of its directory; it is recorded and never made again.
  const server = createServer().listen(join(tree, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  stack = await EmbeddedStack.start(data);
  access = await accessOf(stack);
  task = await addTask(stack, 'small', [tree]);
  before = (await runTask(stack, task)).snapshot;
  return () => server.close();
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

describe('a recovery recipient', () => {
  it('is asked for at the start and can be added from the command line; its identity never travels', async () => {
    expect(stack.announcement).toMatchObject({ recovery_recipients: 0 });
    const key = repo('keygen');
    writeFileSync(identity, key.out, { mode: 0o600 });
    const [, recipient = ''] = /recipient: (age1\S+)/.exec(key.out) ?? [];
    const [, secret = ''] = /^(AGE-SECRET-KEY-\S+)$/m.exec(key.out) ?? [];
    expect(await cli(stack, ['recipients', 'add', secret], access)).toMatchObject({ code: 2, words: expect.stringContaining('[invalid-recipient]') });
    expect((await cli(stack, ['recipients', 'ls'], access)).out).toContain('There is no recovery recipient');
    expect((await cli(stack, ['recipients', 'add', recipient], access)).code).toBe(0);
    const listed = await cli(stack, ['recipients', 'ls', '--json'], access);
    expect(messagesOf(listed.out)).toEqual([{ message_type: 'recipient', class: 'data', recipient }]);
    const { items: [repository] } = await stack.call<{ items: { id: string }[] }>('GET', '/api/v1/repositories');
    await waitUntil(async () => {
      const { items } = await stack.call<{ items: { type: string }[] }>('GET', `/api/v1/audit?subject=${repository?.id}&type=RecipientAdded`);
      return items.length === 1;
    }, 60_000);
    after = (await runTask(stack, task)).snapshot;
  }, 120_000);

  it('what a host cannot restore is a warning in the log of the run, and an object for programs', async () => {
    const ended = await cli(stack, ['restore', `${after}:${tree.slice(1)}`, '--to', join(room, 'by-agent'), '--follow', '--json'], access);
    expect(ended.code).toBe(0);
    const messages = messagesOf(ended.out);
    const run = messages.find(({ message_type }) => message_type === 'run');
    const warning = expect.objectContaining({ message_type: 'log', level: 'warn', text: expect.stringMatching(/^sockets-skipped: /) });
    expect(messages).toContainEqual(warning);
    expect(messagesOf((await cli(stack, ['runs', 'log', String(run?.['id']), '--json'], access)).out)).toContainEqual(warning);
    expect((await cli(stack, ['runs', 'log', String(run?.['id']), '--follow'], access)).out).toMatch(/warn {3}sockets-skipped: /);
  }, 60_000);

  it('lists, restores and verifies every snapshot when no master, no bus, no database and no key of theirs is left', async () => {
    await stack.stop();
    for (const name of readdirSync(data)) if (name !== 'objects') rmSync(join(data, name), { recursive: true, force: true });
    const [target = ''] = readdirSync(join(data, 'objects', 'targets'));
    const [node = ''] = readdirSync(join(data, 'objects', 'targets', target));
    const place = ['--repository', join(data, 'objects', 'targets', target, node)];
    const withKey = [...place, '--identity', identity];
    const listed = messagesOf(repo('snapshots', ...place, '--json').out).filter(({ message_type }) => message_type === 'snapshot');
    expect(listed.map(({ id }) => id).sort()).toEqual([before, after].sort());
    expect(repo('ls', ...withKey, 'latest').out).toContain(join(tree, 'sub', 'text'));
    expect(repo('verify', ...withKey, '--level', '3')).toMatchObject({ code: 0, out: expect.stringContaining('Level 3, decodable: nothing is wrong') });
    for (const snapshot of [before, after]) {
      const to = join(room, `restored-${snapshot}`);
      const restored = repo('restore', ...withKey, `${snapshot}:${tree.slice(1)}`, '--to', to, '--json');
      expect(restored).toMatchObject({ code: 0 });
      expect(messagesOf(restored.out)).toContainEqual(expect.objectContaining({ message_type: 'note', code: 'sockets-skipped' }));
      const { differences } = await compareTrees(tree, to);
      expect(differences).toEqual([]);
    }
    expect(readFileSync(join(room, `restored-${after}`, 'small'), 'utf8')).toBe('small');
    const other = join(room, 'other.key');
    writeFileSync(other, repo('keygen').out);
    mkdirSync(join(room, 'nothing'));
    expect(repo('restore', ...place, '--identity', other, 'latest', '--to', join(room, 'nothing')).words).toContain('[key-not-available]');
    expect(readdirSync(join(room, 'nothing'))).toEqual([]);
  }, 120_000);
});
