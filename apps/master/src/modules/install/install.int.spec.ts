import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeClock, systemClock } from '#kernel';
import { removeTempDir, tempDir } from '#testing';
import { type TestStack, TestClient, startStack } from '../../testing.ts';

const build = randomBytes(3_000_000);
const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

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
    const clock = new FakeClock(systemClock.now());
    const limited = new TestClient((await stack.master({ clock })).url);
    const ask = async (): Promise<number> => (await limited.call('GET', '/api/v1/agent/current/linux-s390x')).status;
    let asked = 0;
    while ((await ask()) === 404 && asked < 1_000) asked++;
    expect(asked).toBe(400);
    await clock.advance(60_000);
    expect(await ask()).toBe(404);
  }, 60_000);
});
