import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { startSocksProxy } from '../../apps/agent/src/network/testing.ts';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { addTask, runEnded, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-install-'));

/** A host without Node: nothing of the project is in its PATH. */
const bare = { PATH: '/usr/bin:/bin' };

describe('the agent as one file', () => {
  let stack: EmbeddedStack;
  let host: ChildProcess;
  let said = '';
  let node: string;
  let link: { readonly token: string; readonly command: string };
  const tree = smallTree(join(room, 'tree'));
  const hostRoot = join(room, 'host');

  const endHost = async (): Promise<void> => {
    if (host?.pid === undefined || host.exitCode !== null || host.signalCode !== null) return;
    const ended = once(host, 'close');
    process.kill(-host.pid, 'SIGTERM');
    await ended;
  };
  const install = (command: string, at: string): void => {
    host = spawn('/bin/sh', ['-c', command], { env: { ...bare, HOLDFAST_ROOT: at }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const words of [host.stdout, host.stderr]) words?.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  };
  beforeAll(async () => {
    execFileSync(join(root, 'node_modules', '.bin', 'node'), [join(root, 'scripts', 'build-agent.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] });
    stack = await EmbeddedStack.start(join(room, 'data'));
    mkdirSync(hostRoot);
  }, 170_000);
  afterAll(async () => {
    await endHost();
    await stack?.stop();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  const installed = (): string[] => execFileSync('find', [hostRoot, '-type', 'f', '-not', '-path', '*/var/lib/*'], { encoding: 'utf8' }).trim().split('\n');
  const presence = async (): Promise<string> => (await stack.call<{ presence: string }>('GET', `/api/v1/nodes/${node}`)).presence;

  it('is installed by the line that a link prints, from the master and nowhere else, and is online within 30 seconds', async () => {
    node = (await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'fresh host' })).id;
    link = await stack.call('POST', '/api/v1/enrolment-links', { node, mode: 'foreground' });
    install(link.command, hostRoot);
    await waitUntil(() => said.includes('fresh host is online') || host.exitCode !== null, 90_000);
    expect(said).toContain('fresh host is online');
    expect(await presence()).toBe('online');
    expect(installed()).toEqual([join(hostRoot, 'usr/local/bin/holdfast-agent')]);
  });
  it('starts itself as data plane and worker threads: a backup comes back identical', async () => {
    const run = await runTask(stack, await addTask(stack, 'of the fresh host', [tree], { node }));
    expect(run).toMatchObject({ status: 'succeeded', faults: [] });
    const copy = join(room, 'copy');
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${run.snapshot}:restore`, { node, destination: copy, mode: 'always' });
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(copy, tree), { owners: true, top: false })).toMatchObject({ identical: true });
  });
  it('came by a link that is dead now: run again it says so and changes nothing', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', link.command], { env: { ...bare, HOLDFAST_ROOT: join(room, 'other') }, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('used already') as string });
    expect(existsSync(join(room, 'other'))).toBe(false);
  });
  it('shows the token of its link to nobody: it is in no process and no log', () => {
    expect(said).not.toContain(link.token);
    const commandLines = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes('holdfast-agent'));
    expect(commandLines.length).toBeGreaterThan(0);
    expect(commandLines.filter((line) => line.includes(link.token))).toEqual([]);
  });
  it('ends with its shell, and uninstalls itself without a trace', async () => {
    await endHost();
    await waitUntil(async () => (await presence()) !== 'online', 30_000);
    const agent = join(hostRoot, 'usr/local/bin/holdfast-agent');
    expect(execFileSync(agent, ['uninstall', '--root', hostRoot], { env: bare, encoding: 'utf8' })).toContain('uninstalled');
    expect(execFileSync('find', [hostRoot, '-type', 'f'], { encoding: 'utf8' })).toBe('');
  });
  it('behind a proxy does the same through it: download, enrolment, bus and objects', async () => {
    const proxy = await startSocksProxy();
    const behind = join(room, 'behind');
    mkdirSync(behind);
    node = (await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'behind a proxy' })).id;
    const { command } = await stack.call<{ command: string }>('POST', '/api/v1/enrolment-links', { node, mode: 'foreground', proxy: `socks5h://${proxy.host}` });
    said = '';
    install(command, behind);
    await waitUntil(() => said.includes('behind a proxy is online') || host.exitCode !== null, 90_000);
    expect(said).toContain('behind a proxy is online');
    const { natsUrls } = JSON.parse(readFileSync(join(behind, 'var/lib/holdfast-agent/node.json'), 'utf8')) as { natsUrls: [string] };
    const [bus, master] = [new URL(natsUrls[0]).port, new URL(stack.announcement.url).port];
    expect(proxy.asked).toContain(`127.0.0.1:${bus}`);
    const before = proxy.asked.filter((to) => to.endsWith(`:${master}`)).length;
    expect(await runTask(stack, await addTask(stack, 'through a proxy', [tree], { node }))).toMatchObject({ status: 'succeeded', faults: [] });
    expect(proxy.asked.filter((to) => to.endsWith(`:${master}`)).length).toBeGreaterThan(before);
    await endHost();
    await proxy.stop();
  });
});
