import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from '#testing';
import { type CommandEnd, type Message, accessOf, cli as cliOf, messagesOf, startCli } from '../support/cli.ts';
import { EmbeddedStack } from '../support/embedded-stack.ts';
import { checkHistories, eventTypes } from '../support/history.ts';
import { type RunView, addTask, runEnded } from '../support/runs.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-life-'));
const tree = join(room, 'tree');
const huge = join(room, 'huge');
/** A file that says 4096 bytes and holds fewer: read by anybody, and never completely. */
const shrinking = '/sys/kernel/uevent_seqnum';
let stack: EmbeddedStack;
let access: Record<string, string>;
const cli = (...args: string[]): Promise<CommandEnd> => cliOf(stack, args, access);

beforeAll(async () => {
  mkdirSync(join(tree, 'sub', 'deep'), { recursive: true });
  writeFileSync(join(tree, 'top'), 'top');
  writeFileSync(join(tree, 'sub', 'a'), 'a'.repeat(10_000));
  writeFileSync(join(tree, 'sub', 'deep', 'b'), 'b');
  // Holes cost no disk, but reading them takes minutes: a run that is surely still under way.
  mkdirSync(huge);
  writeFileSync(join(huge, 'holes'), '');
  truncateSync(join(huge, 'holes'), 4 * 1024 ** 4);
  stack = await EmbeddedStack.start(join(room, 'data'));
  access = await accessOf(stack);
  await addTask(stack, 'tree', [tree]);
  await addTask(stack, 'huge', [huge]);
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  rmSync(room, { recursive: true, force: true });
}, 60_000);

const lastOf = (out: string): Message => messagesOf(out).at(-1) ?? { message_type: 'nothing' };
const show = (id: string): Promise<RunView> => stack.call<RunView>('GET', `/api/v1/runs/${id}`);
const isRunning = (id: string) => waitUntil(async () => (await show(id)).status === 'running', 30_000);

describe('a run that is followed', () => {
  it('succeeds with exit code 0 and tells a program one JSON object a line, the run last', async () => {
    // Without any setting: as first admin of the stack on this machine.
    const { code, out, words } = await cliOf(stack, ['run', 'tree', '--follow', '--json']);
    expect({ code, words }).toEqual({ code: 0, words: '' });
    expect(lastOf(out)).toMatchObject({ message_type: 'run', status: 'succeeded', faultCount: 0, statistics: { files: 3, bytes: 10_004 } });
  });
  it('tells people the same in one line', async () => {
    const { code, out } = await cli('run', 'tree', '--follow');
    expect(code).toBe(0);
    expect(out).toMatch(/^backup succeeded in .*: 3 files, .*, snapshot snap_\w{20}\n$/);
  });
  it('ends partial with exit code 3 when a file could not be read completely, and names it', async () => {
    await addTask(stack, 'shrinking', [tree, shrinking]);
    const { code, out } = await cli('run', 'shrinking', '--follow', '--json');
    expect(code).toBe(3);
    expect(lastOf(out)).toMatchObject({
      status: 'partial', code: 'sources-unreadable', faultCount: 1, faults: [{ path: shrinking, code: 'changed-while-read' }],
      snapshot: expect.stringMatching(/^snap_/) as string,
    });
    expect((await cli('run', 'shrinking', '--follow')).words).toContain(`${shrinking}: `);
  });
  it('ends partial when a path that the task names is not there, and keeps the rest', async () => {
    await addTask(stack, 'missing', [tree, join(room, 'nowhere')]);
    const { code, out } = await cli('run', 'missing', '--follow', '--json');
    expect({ exit: code, ...lastOf(out) }).toMatchObject({ exit: 3, status: 'partial', statistics: { files: 3 }, faults: [{ path: join(room, 'nowhere') }] });
  });
});

describe('a run under way', () => {
  it('is cancelled when the agent confirms it, with exit code 130 for whoever follows', async () => {
    const following = startCli(stack, ['run', 'huge', '--follow', '--json'], access);
    const run = await waitUntil(async () => (await stack.call<{ items: RunView[] }>('GET', '/api/v1/runs?status=running')).items[0], 30_000);
    await waitUntil(async () => (await show(run.id)).progress, 30_000);
    const cancel = await cli('runs', 'cancel', run.id, '--json');
    expect(cancel.code).toBe(0);
    expect(['cancel-requested', 'cancelled']).toContain(lastOf(cancel.out)['status']);
    expect(await runEnded(stack, run.id)).toMatchObject({ status: 'cancelled' });
    const { code, out } = await following.ended;
    expect(code).toBe(130);
    expect(messagesOf(out).some((message) => message.message_type === 'progress')).toBe(true);
    expect(lastOf(out)).toMatchObject({ message_type: 'run', status: 'cancelled' });
    expect((await eventTypes(stack, run.id)).slice(-2)).toEqual(['RunCancelRequested', 'RunCancelled']);
    expect((await cli('runs', 'cancel', run.id)).code).toBe(0);
  });
  it('cannot be cancelled when it has ended', async () => {
    const { items } = await stack.call<{ items: RunView[] }>('GET', '/api/v1/runs?status=succeeded&limit=1');
    const { code, words } = await cli('runs', 'cancel', items[0]?.id ?? '');
    expect({ code, words }).toMatchObject({ code: 5, words: expect.stringMatching(/\[[a-z-]+\]\n$/) as string });
  });
  it('lets a second start wait its turn or be refused, as its task says', async () => {
    const first = await stack.call<{ id: string }>('POST', `/api/v1/tasks/${(await taskId('huge'))}:run`);
    await isRunning(first.id);
    const refused = await cli('run', 'huge');
    expect(refused).toMatchObject({ code: 5 });
    expect(refused.words).toContain('[task-running]');
    await stack.call('POST', `/api/v1/runs/${first.id}:cancel`);
    await runEnded(stack, first.id);

    const queueing = await addTask(stack, 'queueing', [huge], { overlap: 'queue' });
    const [one, two] = [await start(queueing), await start(queueing)];
    await isRunning(one);
    expect(await show(two)).toMatchObject({ status: 'queued', waitingReason: expect.any(String) as string });
    await stack.call('POST', `/api/v1/runs/${one}:cancel`);
    await isRunning(two);
    expect(await show(one)).toMatchObject({ status: 'cancelled' });
    await stack.call('POST', `/api/v1/runs/${two}:cancel`);
    await runEnded(stack, two);
  });
  it('waits with a stated reason while its node has no free slot, and is cancelled at once then', async () => {
    const running = await start(await taskId('huge'));
    await isRunning(running);
    const { slots } = await stack.call<{ slots: number }>('GET', `/api/v1/nodes/${stack.node}`);
    const others: string[] = [];
    for (let i = 0; i < slots; i++) others.push(await start(await addTask(stack, `other ${i}`, [huge])));
    const waiting = await waitUntil(async () => (await Promise.all(others.map(show))).find((run) => run.waitingReason), 20_000);
    expect(waiting.status).toMatch(/queued|dispatched/);
    expect((await cli('runs', 'cancel', waiting.id)).code).toBe(0);
    expect(await runEnded(stack, waiting.id, 5_000)).toMatchObject({ status: 'cancelled' });
    for (const id of [running, ...others]) await cli('runs', 'cancel', id);
    for (const id of [running, ...others]) await runEnded(stack, id);
  });
});

const taskId = async (name: string): Promise<string> => {
  const { items } = await stack.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/tasks?limit=100');
  return items.find((task) => task.name === name)?.id ?? '';
};
const start = async (task: string): Promise<string> => (await stack.call<{ id: string }>('POST', `/api/v1/tasks/${task}:run`)).id;

describe('a snapshot', () => {
  it('is browsed directory by directory', async () => {
    const entries = async (place: string) => messagesOf((await cli('browse', place, '--json')).out).map(({ path, type }) => `${String(type)} ${String(path)}`);
    expect((await entries(`latest:${tree}`)).sort()).toEqual([`directory ${tree}/sub`, `file ${tree}/top`]);
    expect((await entries(`latest:${tree}/sub`)).sort()).toEqual([`directory ${tree}/sub/deep`, `file ${tree}/sub/a`]);
    expect((await cli('browse', `latest:${tree}/none`)).code).toBe(4);
  });
  it('gives one of its paths back and nothing else', async () => {
    const to = join(room, 'part');
    mkdirSync(to);
    const { items: [latest] } = await stack.call<{ items: { id: string; taskName: string; time: string }[] }>('GET', '/api/v1/snapshots?limit=1');
    const { code, words } = await cli('restore', `latest:${tree}/sub/deep`, '--to', to, '--follow');
    expect({ code, words }).toEqual({ code: 0, words: `latest is ${latest?.id} of ${latest?.taskName}, ${latest?.time}; --task NAME takes the latest of one task\n` });
    expect(readdirSync(to)).toEqual(['b']);
    expect(readFileSync(join(to, 'b'), 'utf8')).toBe('b');
  });
  it('counts only when the restore is a dry run', async () => {
    const to = join(room, 'dry');
    mkdirSync(to);
    expect((await cli('restore', 'latest', '--to', to, '--dry-run', '--follow')).code).toBe(0);
    expect(existsSync(join(to, tree))).toBe(false);
  });
  it('fails to restore a path that it does not hold, and says so', async () => {
    const { code, out, words } = await cli('restore', `latest:${tree}/none`, '--to', join(room, 'part'), '--follow');
    expect([1, 4]).toContain(code);
    expect(`${out}${words}`).toMatch(/\[[a-z-]*not-found\]/);
  });
  it.each(['1', '2', '2c', '3'])('is verified at level %s', async (level) => {
    const { code, out } = await cli('verify', 'latest', '--level', level, '--follow', '--json');
    expect({ exit: code, ...lastOf(out) }).toMatchObject({ exit: 0, kind: 'verify', status: 'succeeded' });
    const { items } = await stack.call<{ items: { verified?: object }[] }>('GET', '/api/v1/snapshots?limit=1');
    expect(items[0]?.verified).toMatchObject({ level, outcome: 'intact' });
  });
});

describe('a schedule', () => {
  const runsOf = async (task: string): Promise<RunView[]> => (await stack.call<{ items: RunView[] }>('GET', `/api/v1/runs?task=${task}&limit=200`)).items;

  it('starts its task by itself, rests while paused, and goes on when resumed', async () => {
    const task = await addTask(stack, 'ticking', [tree], { schedule: { cron: '* * * * * *' } });
    await waitUntil(async () => (await runsOf(task)).some((run) => run.status === 'succeeded'), 30_000);
    expect((await cli('tasks', 'pause', 'ticking')).code).toBe(0);
    const paused = await stack.call<{ status: string; nextStart?: string }>('GET', `/api/v1/tasks/${task}`);
    expect(paused).toMatchObject({ status: 'paused' });
    await waitUntil(async () => (await runsOf(task)).every((run) => !['queued', 'dispatched', 'running'].includes(run.status)), 30_000);
    const before = (await runsOf(task)).length;
    // A start by hand is a clock of its own: when it has ended, seconds have gone by.
    expect((await cli('run', 'ticking', '--follow')).code).toBe(0);
    expect((await runsOf(task)).length).toBe(before + 1);
    expect((await cli('tasks', 'resume', 'ticking')).code).toBe(0);
    await waitUntil(async () => (await runsOf(task)).length > before + 1, 20_000);
    await stack.call('DELETE', `/api/v1/tasks/${task}`);
  });
});

describe('what a user gets wrong', () => {
  it.concurrent.each([
    ['run', 'nothing'], ['runs', 'show', 'run_00000000000000000000'], ['runs', 'follow', 'run_00000000000000000000'], ['runs', 'cancel', 'run_00000000000000000000'],
    ['restore', 'snap_none', '--to', '/tmp'], ['browse', 'snap_none'], ['verify', 'snap_none'], ['nodes', 'show', 'nobody'], ['targets', 'test', 'nothing'],
    ['tasks', 'pause', 'nothing'], ['tasks', 'add', 'x', '--path', '/tmp', '--node', 'nobody'],
  ])('%s %s is not there: exit code 4 and a sentence with a code', async (...args) => {
    const { code, words } = await cli(...args);
    expect({ code, words }).toMatchObject({ code: 4, words: expect.stringMatching(/^holdfast: There is no .*\[[a-z]+-not-found\]\n$/) as string });
  });
  it.concurrent.each([
    [], ['run'], ['nonsense'], ['run', 'tree', '--bogus'], ['restore', 'latest'], ['runs'], ['tasks', 'add', 'x'],
    ['verify', 'latest', '--level', '9'], ['restore', 'latest', '--to', '/tmp', '--mode', 'perhaps'], ['runs', 'ls', '-n', 'many'],
    ['tasks', 'add', 'x', '--path', '/tmp', '--schedule', 'now and then'], ['tasks', 'add', 'x', '--path', '/tmp', '--keep-last', 'few'],
    ['tasks', 'add', 'x', '--path', '/tmp', '--schedule', '0 3 * * *', '--time-zone', 'Mars/Olympus'],
  ])('%s %s %s %s is no usage: exit code 2', async (...args) => {
    const { code, words } = await cli(...args.filter(Boolean));
    expect({ code, words }).toMatchObject({ code: 2, words: expect.stringMatching(/\w/) as string });
  });
  it('an error for programs is one JSON object with code and sentence on standard error', async () => {
    const { code, out, words } = await cli('run', 'nothing', '--json');
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(messagesOf(words)).toEqual([{ message_type: 'error', code: 'task-not-found', detail: expect.stringMatching(/\w+ \w+/) as string }]);
  });
  it('a master that is not there is told in a sentence: exit code 1', async () => {
    const { code, words } = await cli('status', '--url', 'http://127.0.0.1:9');
    expect({ code, words }).toMatchObject({ code: 1, words: expect.stringContaining('[master-unreachable]') as string });
  });
});

it('the histories of all these runs are whole', () => checkHistories(stack));
