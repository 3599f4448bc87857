import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstallOptions } from '../enrolment/index.ts';
import { installScript, refusalScript } from './install-script.ts';

const token = 'hfe_the-token-of-the-link';
const sumOf = (bytes: string): string => createHash('sha256').update(bytes).digest('hex');
const zstd = existsSync('/usr/bin/zstd');
const arch = process.arch === 'x64' ? 'amd64' : 'arm64';
const shell = existsSync('/usr/bin/dash') ? '/usr/bin/dash' : '/bin/sh';

/** A program in place of the agent: writes down what it was called with, and enrols by writing the file that says so. */
const agentOf = (room: string): string => `#!/bin/sh
case $1 in
  --version) echo 0.1.0 ;;
  enrol) echo "$@" >>${room}/calls; echo "token $HOLDFAST_ENROL_TOKEN" >>${room}/environment
    [ ! -e ${room}/refuse ] || { echo link-invalid >&2; exit 1; }
    while [ $# -gt 1 ]; do [ "$1" != --state ] || state=$2; shift; done; touch "$state/node.json" ;;
  status) echo "status $*" >>${room}/calls; echo 'FAIL bus tls://m:4222: DNS: the name is not known' ;;
  '') echo "runs in $HOLDFAST_STATE_DIR" >>${room}/calls; exec sleep \${AGENT_SLEEP:-2} ;;
esac
`;

interface Outcome { readonly code: number | null; readonly out: string; readonly words: string }

describe('the install script', () => {
  let room: string;
  let root: string;
  let server: Server;
  let master: string;
  /** What the master answers, by path. */
  let answers: Map<string, string>;
  let posted: string[];

  const builds = (): string => `/api/v1/agent/current/linux-${arch}`;
  beforeEach(async () => {
    room = mkdtempSync(join(tmpdir(), 'holdfast-script-'));
    root = join(room, 'host');
    mkdirSync(join(room, 'bin'));
    mkdirSync(root);
    for (const name of ['systemctl', 'useradd', 'docker', 'journalctl']) {
      // What only looks is not written down.
      writeFileSync(join(room, 'bin', name), `#!/bin/sh\ncase "$*" in is-system-running | 'compose version') exit 0 ;; esac\necho "${name} $*" >>${room}/calls\n`, { mode: 0o755 });
    }
    posted = [];
    const agent = agentOf(room);
    answers = new Map([
      [builds(), agent],
      [`${builds()}.sha256`, `${sumOf(agent)}  holdfast-agent-linux-${arch}\n`],
      ['/api/v1/install/status', '{"link":"consumed","presence":"online","detail":"there"}'],
    ]);
    server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => posted.push(chunk.toString()));
      request.on('end', () => {
        const answer = answers.get(request.url ?? '');
        response.writeHead(answer === undefined ? 404 : 200).end(answer ?? 'nothing here');
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    master = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(room, { recursive: true, force: true });
  });

  const scriptFor = (install: Partial<InstallOptions> = {}): string =>
    installScript({ master, token, node: "db 1's", install: { mode: 'systemd', arch: 'auto', version: 'current', ...install } });
  /** Runs it as the one-line command does: the script comes in at the standard input. */
  const run = (script: string, more: Record<string, string> = {}): Promise<Outcome> => new Promise((resolve) => {
    const child = spawn(shell, [], {
      env: { PATH: `${join(room, 'bin')}:/usr/bin:/bin`, HOLDFAST_ROOT: root, HOLDFAST_WAIT_SECONDS: '2', ...more }, stdio: ['pipe', 'pipe', 'pipe'],
    });
    let [out, words] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
    child.stderr.on('data', (chunk: Buffer) => { words += chunk.toString(); });
    child.stdin.on('error', () => undefined);
    child.once('close', (code) => resolve({ code, out, words }));
    child.stdin.end(script);
  });
  const text = (path: string): string => readFileSync(join(root, path), 'utf8');
  const calls = (): string => (existsSync(join(room, 'calls')) ? readFileSync(join(room, 'calls'), 'utf8') : '');
  const modeOf = (path: string): number => statSync(join(root, path)).mode & 0o777;

  it('is a script of a POSIX shell, in every mode', () => {
    for (const mode of ['systemd', 'docker', 'foreground'] as const) {
      const checked: SpawnSyncReturns<string> = spawnSync(shell, ['-n'], { input: scriptFor({ mode }), encoding: 'utf8' });
      expect(checked).toMatchObject({ status: 0, stderr: '' });
    }
  });
  it('installs a service: file, own user, private settings, a unit that may read and nothing else', async () => {
    const { code, out, words } = await run(scriptFor());
    expect({ code, words }).toEqual({ code: 0, words: '' });
    expect(out).toContain("db 1's is online");
    expect(text('usr/local/bin/holdfast-agent')).toBe(agentOf(room));
    expect([modeOf('usr/local/bin/holdfast-agent'), modeOf('etc/holdfast/agent.env'), modeOf('var/lib/holdfast-agent')]).toEqual([0o755, 0o600, 0o700]);
    const unit = text('etc/systemd/system/holdfast-agent.service');
    for (const line of ['User=holdfast-agent', 'AmbientCapabilities=CAP_DAC_READ_SEARCH', 'CapabilityBoundingSet=CAP_DAC_READ_SEARCH', 'NoNewPrivileges=yes', 'LimitCORE=0', 'MemorySwapMax=0', 'ProtectSystem=strict']) {
      expect(unit.split('\n')).toContain(line);
    }
    expect(existsSync(join(root, 'etc/systemd/system/holdfast-agent.service.d/restore.conf'))).toBe(false);
    expect(calls()).toMatch(/useradd --system .*holdfast-agent\n[^]*enrol --master http[^]*systemctl daemon-reload\nsystemctl enable --now holdfast-agent.service/);
  });
  it.runIf(existsSync('/usr/bin/systemd-analyze'))('writes units that systemd understands, with and without restores', async () => {
    for (const restores of [false, true]) {
      await run(scriptFor({ restores }));
      const verified = spawnSync('systemd-analyze', ['verify', `--root=${root}`, join(root, 'etc/systemd/system/holdfast-agent.service')], { encoding: 'utf8' });
      expect(verified.stderr.split('\n').filter((line) => line.includes('holdfast-agent') && !line.includes('Failed to create') )).toEqual([]);
    }
    expect(text('etc/systemd/system/holdfast-agent.service.d/restore.conf')).toContain('CAP_CHOWN');
  });
  it('gives the token to the agent by its environment and to the master by a body, never by arguments', async () => {
    await run(scriptFor());
    expect(readFileSync(join(room, 'environment'), 'utf8')).toBe(`token ${token}\n`);
    expect(posted).toEqual([JSON.stringify({ token })]);
    expect(calls()).not.toContain(token);
  });
  it('run again replaces the file and enrols again as the same node', async () => {
    await run(scriptFor());
    expect((await run(scriptFor())).code).toBe(0);
    expect(calls().match(/enrol .*/g)).toEqual([expect.not.stringContaining('--again') as string, expect.stringContaining('--again') as string]);
  });
  it.each([
    ['systemd', 'systemctl', 'echo offline; exit 1', 'systemd does not run here'],
    ['docker', 'docker', 'exit 1', 'docker has no compose here'],
  ] as const)('spends no link and changes nothing where %s is a program without what it needs', async (mode, program, does, words) => {
    writeFileSync(join(room, 'bin', program), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
    expect(await run(scriptFor({ mode }))).toMatchObject({ code: 1, out: '', words: expect.stringContaining(words) as string });
    expect([calls(), existsSync(join(root, 'usr'))]).toEqual(['', false]);
  });
  it.each([
    ['docker', 'etc/systemd/system/holdfast-agent.service', 'as a service'], ['foreground', 'etc/systemd/system/holdfast-agent.service', 'as a service'],
    ['systemd', 'etc/holdfast/docker-compose.yml', 'in a container'],
  ] as const)('spends no link and changes nothing, with the mode %s, where an agent is installed in another one', async (mode, file, words) => {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), 'x');
    expect(await run(scriptFor({ mode }))).toMatchObject({ code: 1, out: '', words: expect.stringContaining(`installed here ${words}; take it away first`) as string });
    expect([calls(), existsSync(join(root, 'usr'))]).toEqual(['', false]);
  });
  it.each([
    ['systemd', 'systemctl', '[ "$1" != enable ] || { echo "no unit"; exit 1; } >&2', 'no unit\nholdfast: this host is enrolled, and systemd does not start its agent'],
    ['docker', 'docker', 'case "$*" in *" up "*) echo "no image" >&2; exit 1; esac', 'no image\nholdfast: this host is enrolled, and docker does not start its agent'],
  ] as const)('says that the link is used, and what to do, when %s does not start the agent', async (mode, program, does, words) => {
    writeFileSync(join(room, 'bin', program), `#!/bin/sh\n${does}\n`, { mode: 0o755 });
    expect(await run(scriptFor({ mode }))).toMatchObject({ code: 1, words: expect.stringContaining(words) as string });
  });
  it('starts the agent again that was there, when the host could not be enrolled anew', async () => {
    await run(scriptFor());
    writeFileSync(join(room, 'refuse'), '');
    expect(await run(scriptFor())).toMatchObject({ code: 1, words: expect.stringContaining('link-invalid\nholdfast: this host could not be enrolled') as string });
    expect(calls().trim().split('\n').slice(-3).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['systemctl stop', expect.stringMatching(/^enrol/) as string, 'systemctl start']);
  });
  it('writes a compose file and starts it', async () => {
    expect(await run(scriptFor({ mode: 'docker' }))).toMatchObject({ code: 0, words: '' });
    const compose = text('etc/holdfast/docker-compose.yml');
    expect(compose).toContain('    ulimits: { core: 0 }\n');
    expect(compose).toContain('cap_drop: [ALL]\n    cap_add: [DAC_READ_SEARCH]');
    expect(compose).toContain('- /:/host:ro');
    expect(calls()).toContain(`docker compose -f ${join(root, 'etc/holdfast/docker-compose.yml')} up -d`);
  });
  it('runs in the foreground until the agent ends', async () => {
    expect(await run(scriptFor({ mode: 'foreground' }))).toMatchObject({ code: 0, words: '' });
    expect(calls()).toContain(`runs in ${join(root, 'var/lib/holdfast-agent')}`);
    expect(existsSync(join(root, 'etc/holdfast'))).toBe(false);
  });
  it('tells what the master knows, and fails, when the node does not come online', async () => {
    answers.set('/api/v1/install/status', '{"link":"consumed","presence":"never","detail":"it must reach the NATS servers"}');
    const { code, words } = await run(scriptFor());
    expect(code).toBe(1);
    expect(words).toContain('it must reach the NATS servers');
    expect(words).toContain('What this host sees:\nFAIL bus tls://m:4222: DNS');
    expect(calls()).toContain(`status status --state ${join(root, 'var/lib/holdfast-agent')} --check`);
    expect(calls()).toContain('systemctl status');
  });

  /** Nothing of a refused installation stays. */
  const refused = async (script: string, because: string): Promise<void> => {
    const { code, words } = await run(script);
    expect(code).not.toBe(0);
    expect(words).toContain(because);
    expect(spawnSync('find', [root, '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
    expect(calls()).toBe('');
  };
  it('does nothing when its own download was cut, wherever that was', async () => {
    const script = scriptFor();
    for (const part of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]) {
      await run(script.slice(0, Math.floor(script.length * part)));
      expect(spawnSync('find', [root, '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
    }
    await run(script.slice(0, script.lastIndexOf('main')));
    expect(calls()).toBe('');
  });
  it('installs nothing whose sum is wrong', async () => {
    answers.set(builds(), agentOf(room).slice(0, 40));
    await refused(scriptFor(), 'its SHA-256 is wrong');
  });
  it('names a proxy that answers with a page of its own', async () => {
    answers.set(`${builds()}.sha256`, '<!DOCTYPE html><html><body>Log in</body></html>');
    await refused(scriptFor(), 'a web page came');
  });
  it('names a page that comes in place of the agent itself', async () => {
    answers.set(builds(), '<!DOCTYPE html><html><body>Log in</body></html>');
    await refused(scriptFor(), 'a web page came in place of the agent');
  });
  it('goes through the proxy of its link, and so does the agent that it installs', async () => {
    // The master itself stands in for the proxy: what is asked for over plain HTTP comes to a proxy with its whole address.
    server.prependListener('request', (request) => { request.url = request.url?.replace(/^http:\/\/nowhere\.invalid/, ''); });
    const script = installScript({ master: 'http://nowhere.invalid', token, node: 'db', install: { mode: 'systemd', arch: 'auto', version: 'current', proxy: master } });
    expect(await run(script)).toMatchObject({ code: 0, words: '' });
    expect(text('etc/holdfast/agent.env')).toContain(`HOLDFAST_AGENT_PROXY=${master}\n`);
  });
  it.runIf(zstd)('takes the compressed file where zstd is there', async () => {
    const [name, packed] = [`holdfast-agent-linux-${arch}`, zstdCompressSync(agentOf(room))];
    const served = createServer((request, response) => {
      if (request.url?.endsWith('.zst')) return void response.end(packed);
      const sums = `${sumOf(agentOf(room))}  ${name}\n${createHash('sha256').update(packed).digest('hex')}  ${name}.zst\n`;
      response.end(request.url?.endsWith('.sha256') ? sums : '{"presence":"online"}');
    });
    await new Promise<void>((resolve) => { served.listen(0, '127.0.0.1', resolve); });
    master = `http://127.0.0.1:${(served.address() as AddressInfo).port}`;
    expect(await run(scriptFor())).toMatchObject({ code: 0, words: '' });
    expect(text('usr/local/bin/holdfast-agent')).toBe(agentOf(room));
    served.closeAllConnections();
    served.close();
  });
  it('says that the master has no such agent', async () => {
    await refused(scriptFor({ version: '9.9.9' }), 'has no agent 9.9.9');
  });
  it('says that the agent does not run here, and leaves the old one', async () => {
    await run(scriptFor());
    const broken = '#!/bin/sh\necho no glibc; exit 127\n';
    answers.set(builds(), broken);
    answers.set(`${builds()}.sha256`, `${sumOf(broken)}  holdfast-agent-linux-${arch}\n`);
    const { code, words } = await run(scriptFor());
    expect({ code, words }).toMatchObject({ code: 1, words: expect.stringContaining('does not run on this host: no glibc') as string });
    expect(text('usr/local/bin/holdfast-agent')).toBe(agentOf(room));
  });
  it('refuses a host of another architecture', async () => {
    await refused(scriptFor({ arch: arch === 'amd64' ? 'arm64' : 'amd64' }), 'and this host is');
  });
  it.runIf(existsSync('/usr/bin/wget'))('takes wget where there is no curl', async () => {
    const tools = join(room, 'tools');
    mkdirSync(tools);
    for (const name of ['wget', 'id', 'uname', 'mktemp', 'rm', 'sha256sum', 'cut', 'sed', 'grep', 'cp', 'chmod', 'mv', 'mkdir', 'cat', 'head', 'sleep', 'touch', 'dirname', 'date']) {
      const found = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
      if (found) spawnSync('ln', ['-s', found, join(tools, name)]);
    }
    expect(await run(scriptFor(), { PATH: `${join(room, 'bin')}:${tools}` })).toMatchObject({ code: 0, words: '' });
  });
  it('says why a link is over, with nothing in it that a shell would run', async () => {
    chmodSync(root, 0o755);
    const { code, words } = await run(refusalScript("it's $(touch /tmp/x) over"));
    expect({ code, words }).toEqual({ code: 1, words: "holdfast: it's $(touch /tmp/x) over\n" });
  });
});
