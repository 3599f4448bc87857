import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareTrees } from '#sources';
import { waitUntil } from '#testing';
import { EmbeddedStack, root } from '../support/embedded-stack.ts';
import { addTask, runEnded, runTask } from '../support/runs.ts';
import { smallTree } from '../support/tree.ts';
import { TwoHosts } from '../support/two-hosts.ts';

const hosts = process.getuid?.() === 0 && existsSync('/usr/bin/unshare') ? TwoHosts.make() : undefined;
const room = mkdtempSync(join(tmpdir(), 'holdfast-namespaces-'));

/**
 * What a fresh host is: nothing of the project's in its PATH, and empty folders where the installation goes. The last word is what is typed
 * on it, as root.
 */
const fresh = ['unshare', '--mount', '/bin/sh', '-c', 'for at in /usr/local /var/lib /opt; do mount -t tmpfs tmpfs "$at"; done; exec /bin/sh -c "$0"'];
const bare = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };

interface Link { readonly id: string; readonly token: string; readonly command: string; readonly checkedCommand: string }

describe.runIf(hosts)('a fresh host in a network namespace, a master in another one', () => {
  const { master, host, masterFromDesk } = hosts as TwoHosts;
  const tree = smallTree(join(room, 'tree'));
  const said: { readonly at: number; readonly line: string }[] = [];
  let stack: EmbeddedStack;
  let typed: ChildProcess | undefined;
  let node: string;
  let link: Link;

  const on = (command: string): [string, string[]] => host.command(...fresh, command);
  const lineAt = (part: string): number | undefined => said.find(({ line }) => line.includes(part))?.at;
  const nodeNow = (): Promise<{ presence: string; version?: string }> => stack.callPatiently('GET', `/api/v1/nodes/${node}`);
  /** As a terminal ends what was typed in it: the shell and what it started. */
  const endTyped = async (): Promise<void> => {
    if (typed?.pid === undefined || typed.exitCode !== null || typed.signalCode !== null) return;
    const ended = once(typed, 'close');
    process.kill(-typed.pid, 'SIGTERM');
    await ended;
  };
  const there = (...words: string[]): string => {
    const [program, args] = host.command(...words);
    return spawnSync(program, args, { encoding: 'utf8' }).stdout;
  };

  beforeAll(async () => {
    execFileSync(join(root, 'node_modules', '.bin', 'node'), [join(root, 'scripts', 'build-agent.mjs'), '--level', '1'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const reach = (url: string): string => Object.assign(new URL(url), { hostname: masterFromDesk }).href;
    stack = await EmbeddedStack.start(join(room, 'data'), ['--advertise', master.address], { command: (...words) => master.command(...words), reach });
  }, 180_000);
  afterAll(async () => {
    await endTyped();
    await stack?.stop();
    (hosts as TwoHosts).remove();
    rmSync(room, { recursive: true, force: true });
  }, 60_000);

  it('is online within 30 s of the download\'s end, by the line of a link that was made over REST', async () => {
    ({ id: node } = await stack.call<{ id: string }>('POST', '/api/v1/nodes', { name: 'fresh-host' }));
    link = await stack.call<Link>('POST', '/api/v1/enrolment-links', { node, mode: 'foreground', restores: true });
    expect(link.command).toContain(`http://${master.address}:`);
    const [program, args] = on(link.command);
    typed = spawn(program, args, { env: bare, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const words of [typed.stdout, typed.stderr]) {
      words?.on('data', (chunk: Buffer) => said.push(...chunk.toString().split('\n').filter(Boolean).map((line) => ({ at: performance.now(), line }))));
    }
    await waitUntil(() => lineAt('fresh-host is online') !== undefined || typed?.exitCode !== null, 120_000);
    expect(said.map(({ line }) => line)).toContain('holdfast: fresh-host is online');
    expect((lineAt('is online') ?? Infinity) - (lineAt('installed /usr/local/bin') ?? 0)).toBeLessThan(30_000);
    expect((await nodeNow()).presence).toBe('online');
  });

  it('has nothing that listens: whatever knocks is refused', () => {
    const states = there('cat', '/proc/net/tcp', '/proc/net/tcp6').split('\n').map((line) => line.trim().split(/\s+/)[3]);
    expect(states).toContain('01');
    expect(states).not.toContain('0A');
    const [program, args] = master.command('bash', '-c', `for port in 22 80 4222 8700; do (exec 3<>/dev/tcp/${host.address}/$port) 2>/dev/null && echo "$port is open"; done; true`);
    expect(spawnSync(program, args, { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
  });

  it('is backed up, and gets its files back identical', async () => {
    const run = await runTask(stack, await addTask(stack, 'of the fresh host', [tree], { node }));
    expect(run).toMatchObject({ status: 'succeeded', faults: [] });
    const { id } = await stack.call<{ id: string }>('POST', `/api/v1/snapshots/${run.snapshot}:restore`, { node, destination: join(room, 'back'), mode: 'always' });
    expect(await runEnded(stack, id)).toMatchObject({ status: 'succeeded' });
    expect(await compareTrees(tree, join(room, 'back', tree), { owners: true, top: false })).toMatchObject({ identical: true });
  });

  it('came by a link that is dead now, in each of its forms and for every other agent', async () => {
    for (const command of [link.command, link.checkedCommand]) {
      const [program, args] = on(command);
      const again = spawnSync(program, args, { env: bare, encoding: 'utf8' });
      expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 1, stderr: expect.stringContaining('used already') as string });
    }
    const links = await stack.callPatiently<{ items: { id: string; status: string }[] }>('GET', `/api/v1/enrolment-links?node=${node}`);
    expect(links.items).toEqual([expect.objectContaining({ id: link.id, status: 'consumed' })]);
  });

  it('says what is in the way when it cannot reach the bus: names, ports and certificates, one by one', async () => {
    const port = new URL(stack.announcement.url).port;
    const { id } = await stack.callPatiently<{ id: string }>('POST', '/api/v1/nodes', { name: 'cut-off' });
    const { token } = await stack.callPatiently<Link>('POST', '/api/v1/enrolment-links', { node: id });
    const state = join(room, 'cut-off');
    const agent = join(root, 'dist', 'agent', `holdfast-agent-linux-${process.arch === 'x64' ? 'amd64' : 'arm64'}`);
    const run = (words: readonly string[], env: Record<string, string> = {}) => {
      const [program, args] = host.command(agent, ...words);
      return spawnSync(program, args, { env: { ...bare, ...env }, encoding: 'utf8', timeout: 60_000 });
    };
    expect(run(['enrol', '--master', `http://${master.address}:${port}`, '--state', state], { HOLDFAST_ENROL_TOKEN: token }).status).toBe(0);
    const well = run(['status', '--state', state, '--check']);
    expect(well).toMatchObject({ status: 1, stdout: expect.stringMatching(/agent {7}stopped\n[^]*ok {10}master [^]*ok {10}clock: [^]*ok {10}bus tls:/) as string });
    await stack.callPatiently('POST', `/api/v1/nodes/${id}/credential:revoke`, { reason: 'test' });
    await waitUntil(() => run(['status', '--state', state, '--check']).stdout.includes('LOGIN: the credential of this node is refused'), 30_000);
    const proxied = run(['status', '--state', state, '--check'], { HOLDFAST_AGENT_PROXY: `socks5h://${master.address}:1` });
    expect(proxied.stdout).toMatch(/FAIL {8}bus [^\n]*: PROXY: The proxy socks5h:\/\/[^\n]* cannot be reached/);
  });

  it('ends with the shell that it was typed in', async () => {
    await endTyped();
    await waitUntil(async () => (await nodeNow()).presence !== 'online', 90_000);
  });
});
