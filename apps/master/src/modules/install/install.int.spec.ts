import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '#kernel';
import { newAgeKey, newNkey } from '#identity';
import { removeTempDir, tempDir } from '#testing';
import { type TestStack, TestClient, startStack } from '../../testing.ts';

const build = randomBytes(3_000_000);
const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Link { token: string; command: string; checkedCommand: string }

/** Runs what a link serves, as the one-line command does. */
const runScript = async (script: string, root: string): Promise<{ code: number | null; words: string }> => {
  const child = spawn('/bin/sh', [], { env: { PATH: '/usr/bin:/bin', HOLDFAST_ROOT: root, HOLDFAST_WAIT_SECONDS: '1' }, stdio: ['pipe', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => { words += chunk.toString(); });
  child.stdin.on('error', () => undefined).end(script);
  await once(child, 'close');
  return { code: child.exitCode, words };
};

/** A clock that stands until a test moves it, for a whole master: who only waits a moment goes on. */
const standingClock = (): Clock & { advance(ms: number): void } => {
  const start = systemClock.now();
  let ahead = 0;
  return { now: () => start + ahead, monotonic: () => ahead, sleep: (ms, signal) => systemClock.sleep(ms, signal), advance: (ms) => { ahead += ms; } };
};

describe('the install script of a link', () => {
  let stack: TestStack;
  let room: string;
  let api: TestClient;
  const clock = standingClock();

  beforeAll(async () => {
    room = await tempDir('links');
    stack = await startStack();
    api = await new TestClient((await stack.master({ clock, variables: { HOLDFAST_AGENT_DIR: room, HOLDFAST_PUBLIC_URL: 'https://backup.example.com' } })).url).login();
  });
  afterAll(async () => {
    await stack.stop();
    removeTempDir(room);
  });
  let nodes = 0;
  const linkOf = async (more: object = {}): Promise<Link> => {
    const { id } = await api.json<{ id: string }>('POST', '/api/v1/nodes', { name: `host ${++nodes}` });
    return api.json<Link>('POST', '/api/v1/enrolment-links', { node: id, ...more });
  };
  const scriptOf = async (token: string): Promise<string> => (await new TestClient(api.url).call('GET', `/install/${token}`)).text();

  it('holds what the link was made with, and asking for it spends nothing', async () => {
    const { token, command } = await linkOf({ mode: 'docker', arch: 'arm64', masterUrl: 'http://10.0.0.1:8700/', proxy: 'http://proxy:3128', restores: true });
    expect(command).toBe(`curl -fsSL --proxy http://proxy:3128 http://10.0.0.1:8700/install/${token} | sh`);
    for (let asked = 0; asked < 2; asked++) {
      const script = await scriptOf(token);
      for (const line of ["master='http://10.0.0.1:8700'", `token='${token}'`, `node='host ${nodes}'`, "mode='docker'", "arch='arm64'", "restores='yes'"]) expect(script).toContain(`  ${line}\n`);
      expect(script.trimEnd().split('\n').at(-1)).toBe('main </dev/null');
    }
    expect(await scriptOf((await linkOf()).token)).toContain("  master='https://backup.example.com'\n");
    expect(await api.json('POST', '/api/v1/install/status', { token })).toMatchObject({ link: 'open', presence: 'never' });
  });
  it.each([
    { proxy: 'http://user:secret@proxy:3128' }, { masterUrl: 'http://m/$(reboot)' }, { masterUrl: 'ftp://m' }, { ca: "x' ; reboot" }, { mode: 'windows' }, { version: '../1' },
  ])('is not made of %j', async (more) => {
    expect(await linkOf(more)).toMatchObject({ status: 400, code: 'invalid-request' });
  });
  it('says why and ends with 1 when the link is unknown, spent or expired', async () => {
    expect(await runScript(await scriptOf('hfe_guess'), room)).toMatchObject({ code: 1, words: expect.stringContaining('is unknown') as string });
    const spent = await linkOf();
    const host = { hostname: 'a', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' };
    const enrolled = await api.json('POST', '/api/v1/enrol', { token: spent.token, publicKey: newNkey('user').publicKey, recipient: (await newAgeKey()).recipient, host });
    expect(enrolled).toMatchObject({ node: expect.any(String) as string });
    expect(await runScript(await scriptOf(spent.token), room)).toMatchObject({ code: 1, words: expect.stringContaining('used already') as string });
    expect(await api.json('POST', '/api/v1/install/status', { token: spent.token })).toMatchObject({ link: 'consumed', presence: 'never' });
    const late = await linkOf({ life: '5m' });
    clock.advance(300_000);
    expect(await runScript(await scriptOf(late.token), room)).toMatchObject({ code: 1, words: expect.stringContaining('has expired') as string });
    expect(existsSync(join(room, 'usr'))).toBe(false);
  });
  it('names what the master lacks when there is no build', async () => {
    const { token } = await linkOf({ mode: 'foreground', masterUrl: api.url });
    const { code, words } = await runScript(await scriptOf(token), room);
    expect({ code, words }).toMatchObject({ code: 1, words: expect.stringContaining('has no agent current') as string });
  });
});

describe('the agent that a master serves', () => {
  let stack: TestStack;
  let room: string;
  let api: TestClient;

  beforeAll(async () => {
    room = await tempDir('install');
    const agents = join(room, 'agents');
    mkdirSync(join(agents, '0.0.9'), { recursive: true });
    writeFileSync(join(agents, 'holdfast-agent-linux-amd64'), build);
    writeFileSync(join(agents, 'holdfast-agent-linux-amd64.sha256'), `${sumOf(build)}  holdfast-agent-linux-amd64\n`);
    writeFileSync(join(agents, '0.0.9', 'holdfast-agent-linux-amd64'), 'older');
    writeFileSync(join(room, 'holdfast-agent-linux-arm64'), 'outside');
    stack = await startStack();
    api = new TestClient((await stack.master({ variables: { HOLDFAST_AGENT_DIR: agents } })).url);
  });
  afterAll(async () => {
    await stack.stop();
    removeTempDir(room);
  });

  it('comes whole and without a log-in, with its length and its sum', async () => {
    const answer = await api.call('GET', '/api/v1/agent/current/linux-amd64');
    expect(answer.headers.get('content-length')).toBe(String(build.length));
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    const sum = await (await api.call('GET', '/api/v1/agent/current/linux-amd64.sha256')).text();
    expect(sum).toBe(`${sumOf(Buffer.from(await answer.arrayBuffer()))}  holdfast-agent-linux-amd64\n`);
    expect(await (await api.call('GET', '/api/v1/agent/0.0.9/linux-amd64')).text()).toBe('older');
  });
  it.each(['current/linux-arm64', '9.9.9/linux-amd64', '..%2f/linux-arm64', '0.0.9%2f..%2f..%2f/linux-arm64', 'current/..%2f..%2fholdfast-agent-linux-arm64'])('is not there as %s: a code and how to make it', async (path) => {
    const answer = await api.call('GET', `/api/v1/agent/${path}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'agent-build-missing', detail: expect.stringContaining('npm run build:agent') as string });
  });
  it('is refused to an address that asks too often, for a minute', async () => {
    const clock = standingClock();
    const limited = new TestClient((await stack.master({ clock })).url);
    const ask = async (): Promise<number> => (await limited.call('GET', '/api/v1/agent/current/linux-s390x')).status;
    let asked = 0;
    while ((await ask()) === 404 && asked < 1_000) asked++;
    expect(asked).toBe(400);
    clock.advance(60_000);
    expect(await ask()).toBe(404);
  }, 60_000);
});
