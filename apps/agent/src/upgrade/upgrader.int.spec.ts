import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zstdCompressSync } from 'node:zlib';
import type { InstallMode, UpgradeOrder } from '#contracts';
import { FakeClock, silentLogger } from '#kernel';
import { waitUntil } from '#testing';
import { scratch } from '../testing.ts';
import { agentVersion } from '../version.ts';
import { UpgradeFile } from './upgrade-file.ts';
import { Upgrader } from './upgrader.ts';

const fileOf = (version: string): Buffer => Buffer.from(`#!/bin/sh\necho ${version}\n`);
const orderOf = (version: string, file = fileOf(version)): UpgradeOrder =>
  ({ id: `upgrade_${version}`, version, sha256: createHash('sha256').update(file).digest('hex'), size: file.length });

let room: ReturnType<typeof scratch>;
let record: UpgradeFile;
let server: Server;
let asked: string[];
let answers: (() => { readonly status: number; readonly body: Buffer })[];
let happened: string[];
let letWorkEnd: () => void;
const clock = new FakeClock();

beforeEach(async () => {
  room = scratch();
  record = new UpgradeFile(room.dir);
  writeFileSync(join(room.dir, 'installed'), '');
  [asked, answers, happened] = [[], [], []];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.shift()?.() ?? { status: 404, body: Buffer.alloc(0) };
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  room.remove();
});

const serves = (file: Buffer) => () => ({ status: 200, body: zstdCompressSync(file) });
const upgrader = (installMode: InstallMode = 'systemd'): Upgrader => new Upgrader({ network: {},
  record, installMode, launcher: installMode === 'unbuilt' ? undefined : join(room.dir, 'installed'), master: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  clock, logger: silentLogger, goOn: () => void happened.push('goes on'), restart: () => void happened.push('starts anew'),
  quiet: () => new Promise((resolve) => {
    happened.push('is quiet');
    letWorkEnd = resolve;
  }),
});
const failed = (one: Upgrader) => waitUntil(() => one.report()?.stage === 'failed');

describe('an agent that is ordered to become another version', () => {
  it('has the file whole and checked before it lets work end, and starts anew when that has ended', async () => {
    answers.push(serves(fileOf('0.2.0')));
    const one = upgrader();
    one.take(orderOf('0.2.0'));
    await waitUntil(() => happened.includes('is quiet'));
    expect(asked).toEqual([`/api/v1/agent/0.2.0/linux-${process.arch === 'x64' ? 'amd64' : 'arm64'}.zst`]);
    expect({ report: one.report(), there: existsSync(record.pathOf(orderOf('0.2.0'))), happened }).toMatchObject({ report: { stage: 'waiting' }, there: true, happened: ['is quiet'] });
    letWorkEnd();
    await waitUntil(() => happened.includes('starts anew'));
  });

  it.each([
    ['something else came', 'upgrade-checksum', orderOf('0.2.0'), fileOf('0.6.6'), 'systemd'],
    ['more came than was announced', 'upgrade-checksum', orderOf('0.2.0'), Buffer.concat([fileOf('0.2.0'), Buffer.alloc(100_000)]), 'systemd'],
    ['the file does not run', 'upgrade-unusable', orderOf('0.2.0', Buffer.from('#!/nowhere\n')), Buffer.from('#!/nowhere\n'), 'systemd'],
    ['the file is another version', 'upgrade-unusable', { ...orderOf('0.3.0'), version: '0.2.0' }, fileOf('0.3.0'), 'systemd'],
    ['the version is no version', 'upgrade-invalid', { ...orderOf('0.2.0'), version: '../../bin' }, fileOf('0.2.0'), 'systemd'],
    ['it runs in a container', 'upgraded-otherwise', orderOf('0.2.0'), fileOf('0.2.0'), 'docker'],
    ['it has no file of its own', 'upgraded-otherwise', orderOf('0.2.0'), fileOf('0.2.0'), 'unbuilt'],
  ] as const)('stays as it is and says why when %s', async (_, code, order, file, installMode) => {
    answers.push(serves(file));
    const one = upgrader(installMode);
    one.take(order);
    await failed(one);
    expect(one.report()).toMatchObject({ id: order.id, code });
    expect(happened).not.toContain('starts anew');
    // The masters ask again until they have heard it: nothing is fetched a second time.
    one.take(order);
    expect(asked.length).toBeLessThanOrEqual(1);
    one.take(undefined);
    expect({ report: one.report(), left: existsSync(record.versions) ? readdirSync(record.versions) : [] }).toEqual({ report: undefined, left: [] });
  });

  it('tries again when the master cannot be reached or a download is cut, and gives up after a while', async () => {
    const whole = zstdCompressSync(fileOf('0.2.0'));
    answers.push(() => ({ status: 503, body: Buffer.alloc(0) }), () => ({ status: 200, body: whole.subarray(0, whole.length - 5) }), serves(fileOf('0.2.0')));
    const one = upgrader();
    one.take(orderOf('0.2.0'));
    for (const times of [1, 2]) {
      await waitUntil(() => asked.length === times && clock.sleeping > 0);
      await clock.advance(60_000);
    }
    await waitUntil(() => happened.includes('is quiet'));
    const other = upgrader();
    other.take(orderOf('0.3.0'));
    for (let times = 4; times < 9; times++) {
      await waitUntil(() => asked.length === times && clock.sleeping > 0);
      await clock.advance(60_000);
    }
    await failed(other);
    expect(other.report()).toMatchObject({ code: 'agent-build-missing', detail: expect.stringMatching(/^http.* has no \/api\/v1\/agent\/0\.3\.0\/linux-.*\.zst; make it with/) as string });
    // Over: nothing is fetched until the masters order anew.
    other.take(orderOf('0.3.0'));
    expect({ asked: asked.length, waiting: clock.sleeping, happened: happened.at(-1) }).toEqual({ asked: 9, waiting: 0, happened: 'goes on' });
  });

  it('that was killed while it fetched begins anew at the next word of the masters', async () => {
    record.write({ format: 1, order: { ...orderOf('0.2.0'), stage: 'fetching', tries: 0 } });
    answers.push(serves(fileOf('0.2.0')));
    const one = upgrader();
    expect(one.report()).toMatchObject({ stage: 'fetching' });
    one.take(orderOf('0.2.0'));
    await waitUntil(() => happened.includes('is quiet'));
  });

  it('lets go of an order that the masters took back, and of one that another order replaces', async () => {
    answers.push(serves(fileOf('0.2.0')), serves(fileOf('0.3.0')));
    const one = upgrader();
    one.take(orderOf('0.2.0'));
    await waitUntil(() => happened.length === 1);
    one.take(orderOf('0.3.0'));
    await waitUntil(() => happened.filter((what) => what === 'is quiet').length === 2);
    expect(one.report()).toMatchObject({ id: 'upgrade_0.3.0', stage: 'waiting' });
    one.take(undefined);
    expect({ report: one.report(), last: happened.at(-1) }).toEqual({ report: undefined, last: 'goes on' });
  });
});

describe('a version on trial', () => {
  it('stays when the masters have answered it, and forgets the order when they have written that down', () => {
    const order = { ...orderOf(agentVersion), stage: 'trying', tries: 1 } as const;
    record.write({ format: 1, order });
    const one = upgrader();
    expect(one.isTrial).toBe(true);
    one.take(undefined);
    expect(one.isTrial, 'only its own proof ends a trial').toBe(true);
    expect([one.confirm(), one.confirm()]).toEqual([true, false]);
    expect({ trial: one.isTrial, report: one.report() }).toMatchObject({ trial: false, report: { stage: 'confirmed' } });
    one.take(undefined);
    expect(record.read()).toEqual({ format: 1, current: { version: agentVersion, sha256: order.sha256 } });
  });

  it('is not confirmed by another version', () => {
    record.write({ format: 1, order: { ...orderOf('9.9.9'), stage: 'trying', tries: 1 } });
    expect(upgrader().confirm()).toBe(false);
  });
});
