import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newAgeKey, newNkey } from '#identity';
import { type Clock, systemClock } from '#kernel';
import { type TestStack, TestClient, startStack } from '../../testing.ts';

interface BatchLink { line: number; name: string; node: string; link: string; token: string; command: string }
interface Batch { id: string; remainingSeconds: number; links: BatchLink[]; script: string }
interface Page { items: { id: string; node: string; status: string; batch?: string; remainingSeconds?: number }[] }

describe('a batch of enrolment links', () => {
  let stack: TestStack;
  let api: TestClient;
  let other: TestClient;
  /** Time goes on by itself, as two masters may have to wait for each other, and by jumps. */
  let ahead = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead };

  beforeAll(async () => {
    stack = await startStack();
    const variables = { HOLDFAST_PUBLIC_URL: 'https://backup.example.com' };
    api = await new TestClient((await stack.master({ clock, variables })).url).login();
    other = await new TestClient((await stack.master({ clock, variables })).url).login();
  });
  afterAll(() => stack.stop());

  const issue = (names: readonly string[], more: object = {}): Promise<Batch> => api.json<Batch>('POST', '/api/v1/enrolment-batches', { names, ...more });
  const linksOf = async (batch: string): Promise<Page['items']> => (await api.json<Page>('GET', `/api/v1/enrolment-links?batch=${batch}&limit=200`)).items;
  const nodesNamed = async (part: string): Promise<number> => (await api.json<Page>('GET', `/api/v1/nodes?name=${part}&limit=200`)).items.length;
  const enrol = async (token: string) => api.json('POST', '/api/v1/enrol', {
    token, publicKey: newNkey('user').publicKey, recipient: (await newAgeKey()).recipient, host: { hostname: 'a', platform: 'linux', arch: 'x64', agentVersion: '1.0.0' },
  });

  it('adds fifty nodes with a token and a command each, answered once, with the time that is left', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `fleet-${i}`);
    const batch = await issue(['# the fleet', ...names], { life: '1h' });
    expect(batch.links.map(({ name }) => name)).toEqual(names);
    expect(batch.links[0]).toMatchObject({ line: 2, command: `curl -fsSL https://backup.example.com/install/${batch.links[0]?.token} | sh` });
    expect(new Set(batch.links.flatMap(({ node, link, token }) => [node, link, token])).size).toBe(150);
    expect(batch.script.split('\n').filter((line) => /install\/hfe_/.test(line))).toHaveLength(50);
    ahead += 60_000;
    const shown = await linksOf(batch.id);
    expect(shown).toHaveLength(50);
    expect(shown.every(({ status, remainingSeconds }) => status === 'open' && remainingSeconds! > 3_500 && remainingSeconds! <= 3_540)).toBe(true);
    expect(JSON.stringify(shown)).not.toContain('hfe_');
    expect(await nodesNamed('fleet-')).toBe(50);
  });
  it('a node that is cut off cannot come back through a link that was open already', async () => {
    const { node, token } = (await issue(['cut-off'])).links[0]!;
    const second = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    expect((await api.call('POST', `/api/v1/nodes/${node}/credential:revoke`, {})).status).toBe(204);
    for (const old of [token, second.token]) expect(await enrol(old)).toMatchObject({ status: 401, code: 'link-invalid' });
    const fresh = await api.json<{ token: string }>('POST', '/api/v1/enrolment-links', { node });
    expect(await enrol(fresh.token)).toMatchObject({ node });
  });
  it('is all or nothing: one name in the way and no node is added; every one is told with its line', async () => {
    const refused = await issue(['all-1', 'FLEET-7', 'all-2', 'All-1', 'a/b']) as unknown as { status: number; code: string; errors: { field: string; detail: string }[] };
    expect(refused).toMatchObject({ status: 409, code: 'batch-refused' });
    expect(refused.errors.map(({ field, detail }) => [field, detail.slice(0, 16)])).toEqual([
      ['names[1]', 'line 2: "FLEET-7'], ['names[3]', 'line 4: "All-1" '], ['names[4]', 'line 5: "a/b" i'.padEnd(16, 's')],
    ]);
    expect(await nodesNamed('all-')).toBe(0);
    expect(await issue(['x', ...Array.from({ length: 50 }, (_, i) => `many-${i}`)])).toMatchObject({ status: 400, code: 'batch-refused' });
  });
  it('two of the same names at the same moment from two masters: one is made, the other refused whole', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `twice-${i}`);
    const both = await Promise.all([api, other].map((one) => one.json<Batch & { code?: string }>('POST', '/api/v1/enrolment-batches', { names })));
    expect(both.map(({ code }) => code).sort()).toEqual(['batch-refused', undefined]);
    expect(await nodesNamed('twice-')).toBe(10);
  });
  it('enrols each of its nodes once, by its own token', async () => {
    const { links } = await issue(['once-a', 'once-b']);
    const [first, second] = links as [BatchLink, BatchLink];
    expect(await enrol(first.token)).toMatchObject({ node: first.node, name: 'once-a' });
    expect(await enrol(first.token)).toMatchObject({ status: 401, code: 'link-invalid' });
    expect(await enrol(second.token)).toMatchObject({ node: second.node, name: 'once-b' });
  });
  it('of a node that is removed is shown as taken back, and opens nothing', async () => {
    const { id, links } = await issue(['not-to-be']);
    const { node, token } = links[0]!;
    expect((await api.call('DELETE', `/api/v1/nodes/${node}`)).status).toBe(204);
    expect(await linksOf(id)).toMatchObject([{ node, status: 'revoked' }]);
    expect(await enrol(token)).toMatchObject({ status: 401, code: 'link-invalid' });
  });

  it('is taken back link by link or whole; what was used stays', async () => {
    const { id, links } = await issue(['back-a', 'back-b', 'back-c']);
    const [a, b, c] = links as [BatchLink, BatchLink, BatchLink];
    await enrol(a.token);
    expect((await api.call('POST', `/api/v1/enrolment-links/${b.link}:revoke`)).status).toBe(204);
    expect(await enrol(b.token)).toMatchObject({ status: 401, code: 'link-invalid' });
    expect(await (await api.call('GET', `/install/${b.token}`)).text()).toContain('was taken back');
    expect(await api.json('POST', `/api/v1/enrolment-links/${a.link}:revoke`)).toMatchObject({ status: 409, code: 'link-used' });
    expect(await api.json('POST', `/api/v1/enrolment-batches/${id}:revoke`)).toEqual({ revoked: 1, used: 1 });
    expect(await enrol(c.token)).toMatchObject({ code: 'link-invalid' });
    expect((await linksOf(id)).map(({ status }) => status).sort()).toEqual(['consumed', 'revoked', 'revoked']);
    expect(await api.json('POST', '/api/v1/enrolment-batches/batch_x:revoke')).toMatchObject({ status: 404, code: 'batch-not-found' });
    expect(await api.json('POST', '/api/v1/enrolment-links/link_x:revoke')).toMatchObject({ status: 404, code: 'link-not-found' });
  });
  it('is answered as the script alone to whoever asks for a script', async () => {
    const answer = await api.call('POST', '/api/v1/enrolment-batches', { names: ['scripted'] }, { accept: 'text/x-shellscript' });
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([201, 'text/x-shellscript; charset=utf-8', 'no-store']);
    expect(await answer.text()).toMatch(/^#!\/bin\/sh\n# holdfast-batch v1\n/);
  });
  it('is made ten times a minute by one account, a link for one node too', async () => {
    ahead += 60_000;
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await api.call('POST', '/api/v1/enrolment-batches', { names: [`often-${i}`] })).status);
    expect(statuses).toEqual([...Array<number>(10).fill(201), 429]);
    const { id } = await api.json<{ id: string }>('POST', '/api/v1/nodes', { name: 'popular' });
    for (let i = 0; i < 10; i++) expect(await api.json('POST', '/api/v1/enrolment-links', { node: id })).toMatchObject({ remainingSeconds: 900 });
    expect(await api.json('POST', '/api/v1/enrolment-links', { node: id })).toMatchObject({ status: 429, code: 'too-many-requests' });
    ahead += 60_000;
    expect(await api.json('POST', '/api/v1/enrolment-links', { node: id })).toMatchObject({ node: id });
  });
});
