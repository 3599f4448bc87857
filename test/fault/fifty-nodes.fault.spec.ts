import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import type { FleetOrder } from '../support/agent-fleet.ts';
import { cli, messagesOf } from '../support/cli.ts';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { type RunView, addTask, runEnded } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-fifty-'));
const names = Array.from({ length: 50 }, (_, i) => `host-${String(i + 1).padStart(2, '0')}`);
const processes = 5;

interface Node { readonly id: string; readonly name: string; readonly presence: string; readonly duplicateHostname?: string; readonly lastSeenAt?: string }
interface Link { readonly name: string; readonly node: string; readonly token: string }
interface Run extends RunView { readonly node: string; readonly attempt?: number; readonly startedAt: string; readonly finishedAt: string }

describe('a batch of fifty nodes', () => {
  let stack: EmbeddedStack;
  let links: Link[];
  let fleet: ChildProcess[] = [];
  let words = '';
  const tree = smallTree(join(room, 'tree'));

  const nodesNow = async (): Promise<Node[]> =>
    (await stack.callPatiently<{ items: Node[] }>('GET', '/api/v1/nodes?name=host-&limit=200')).items.filter(({ name }) => names.includes(name));
  /** Ten agents a process: one of its own has 140 MiB, and fifty of them would take longer to start than the rest of this test. */
  const startFleet = (): void => {
    const each = Math.ceil(names.length / processes);
    fleet = Array.from({ length: processes }, (_, i) => {
      const child = fork(join(root, 'dist', 'test', 'support', 'agent-fleet.js'), [], { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
      child.stderr?.on('data', (chunk: Buffer) => { words += chunk.toString(); });
      child.send({ master: stack.announcement.url, room, agents: links.slice(i * each, (i + 1) * each) } satisfies FleetOrder);
      return child;
    });
  };
  const endFleet = async (signal: NodeJS.Signals): Promise<void> => {
    await Promise.all(fleet.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map(async (child) => {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }));
  };
  /** All have spoken after `since`. */
  const allOnline = (since: number): Promise<unknown> => waitUntil(async () => {
    if (words !== '') throw new Error(words);
    const nodes = await nodesNow();
    return nodes.length === 50 && nodes.every(({ presence, lastSeenAt }) => presence === 'online' && Date.parse(lastSeenAt ?? '') > since);
  }, 90_000);
  const idsOnHosts = (): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, (JSON.parse(readFileSync(join(room, name, 'node.json'), 'utf8')) as { node: string }).node]));

  beforeAll(async () => {
    stack = await EmbeddedStack.start(join(room, 'data'));
  }, 120_000);
  afterAll(async () => {
    await endFleet('SIGKILL');
    await stack?.stop();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  it('is added by the command line from a pasted list, one command a node', async () => {
    writeFileSync(join(room, 'names'), `# the fleet\n\n${names.join('\n')}\n`);
    const { code, out } = await cli(stack, ['nodes', 'enrol-batch', join(room, 'names'), '--life', '1h', '--json']);
    links = messagesOf(out) as unknown as Link[];
    expect([code, links.length, new Set(links.map(({ node }) => node)).size]).toEqual([0, 50, 50]);
    const again = await cli(stack, ['nodes', 'enrol-batch', join(room, 'names'), '--script', join(room, 'never.sh')]);
    expect(again).toMatchObject({ code: 5, words: expect.stringContaining('line 3: "host-01" is the name of') as string });
  });

  it('comes as a script too, for its owner alone, and is taken back', async () => {
    const script = join(room, 'agents.sh');
    writeFileSync(join(room, 'spare'), 'spare-1\nspare-2\n');
    const { code, out } = await cli(stack, ['nodes', 'enrol-batch', join(room, 'spare'), '--script', script, '--json']);
    expect([code, statSync(script).mode & 0o777, execFileSync('sh', [script, 'list'], { encoding: 'utf8' })]).toEqual([0, 0o600, 'spare-1\nspare-2\n']);
    expect(out).not.toContain('hfe_');
    const [batch] = messagesOf(out) as unknown as [{ id: string }];
    const open = async (): Promise<number> => messagesOf((await cli(stack, ['nodes', 'links', '--batch', batch.id, '--json'])).out).length;
    expect(await open()).toBe(2);
    expect((await cli(stack, ['nodes', 'revoke-link', batch.id])).out).toContain('2 links revoked, 0 had been used');
    expect(await open()).toBe(0);
    expect((await cli(stack, ['nodes', 'enrol-batch', join(room, 'spare'), '--script', script])).words).toContain('file-exists');
  });

  it('enrols whole: all online, none twice', async () => {
    const began = Date.now();
    startFleet();
    await allOnline(began - 60_000);
    const nodes = await nodesNow();
    expect(Object.fromEntries(nodes.map(({ name, id }) => [name, id]))).toEqual(Object.fromEntries(links.map(({ name, node }) => [name, node])));
    expect(idsOnHosts()).toEqual(Object.fromEntries(links.map(({ name, node }) => [name, node])));
    expect(nodes.filter(({ duplicateHostname }) => duplicateHostname)).toEqual([]);
  }, 120_000);

  it('runs ten backups at the same time, each once and on its own node', async () => {
    const chosen = links.slice(0, 10);
    for (const { name } of chosen) writeFileSync(join(tree, name), randomBytes(20_000_000));
    const tasks = await Promise.all(chosen.map(({ name, node }) => addTask(stack, `of ${name}`, [tree], { node })));
    const asked = await Promise.all(tasks.map((task) => stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`)));
    const runs = await Promise.all(asked.map(async ({ id }) => (await runEnded(stack, id)) as Run));
    expect(runs.map(({ status, node }) => [status, node])).toEqual(chosen.map(({ node }) => ['succeeded', node]));
    const lastStart = Math.max(...runs.map(({ startedAt }) => Date.parse(startedAt)));
    const firstEnd = Math.min(...runs.map(({ finishedAt }) => Date.parse(finishedAt)));
    expect(lastStart).toBeLessThan(firstEnd);
    const all = await stack.call<{ items: Run[] }>('GET', '/api/v1/runs?kind=backup&limit=200');
    expect(all.items).toHaveLength(10);
  }, 180_000);

  it('keeps every id when all agents are killed and start again', async () => {
    const before = { nodes: (await nodesNow()).map(({ id, name }) => [name, id]), hosts: idsOnHosts() };
    await endFleet('SIGKILL');
    const killed = Date.now();
    startFleet();
    await allOnline(killed);
    expect({ nodes: (await nodesNow()).map(({ id, name }) => [name, id]), hosts: idsOnHosts() }).toEqual(before);
    const [first] = links as [Link];
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${await addTask(stack, 'after the restart', [join(tree, 'small')], { node: first.node })}:run`);
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded', node: first.node });
    await endFleet('SIGTERM');
    expect(words).toBe('');
  }, 180_000);
});
