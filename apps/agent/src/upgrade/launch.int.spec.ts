import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#kernel';
import { waitUntil } from '#testing';
import { scratch } from '../testing.ts';
import { Launcher, restartCode } from './launch.ts';
import { type StagedOrder, UpgradeFile, fingerprint } from './upgrade-file.ts';

let room: ReturnType<typeof scratch>;
let record: UpgradeFile;
let installed: string;
let became: string[];
let said: string[];
let launcher: Launcher;
beforeEach(() => {
  room = scratch();
  record = new UpgradeFile(room.dir);
  installed = join(room.dir, 'installed');
  writeFileSync(installed, 'the installed agent');
  [became, said] = [[], []];
});
afterEach(() => room.remove());

/** The launcher as the next start of the agent has it: it knows what lies on the disk and nothing else. */
const start = (trialMs = 20_000) => {
  launcher = new Launcher({
    stateDir: room.dir, installed, trialMs, clock: systemClock, say: (line) => void said.push(line), become: (file) => void became.push(file),
  });
  return launcher.run();
};

/** What a version does when it is to serve; `root` is its state directory. */
const behaviours = {
  // Its way to end is there before anybody can see that it runs.
  confirms: `process.on('SIGTERM', () => process.exit(0)); setInterval(() => undefined, 1000);
    record.current = { version: order.version, sha256: order.sha256 }; order.stage = 'confirmed'; write();`,
  confirmsAndWantsAnother: `record.current = { version: order.version, sha256: order.sha256 }; order.stage = 'confirmed'; write();
    setTimeout(() => { delete record.order; write(); }, 600);
    setInterval(() => { const next = JSON.parse(fs.readFileSync(file, 'utf8')).order; if (next && next.id !== order.id) process.exit(${restartCode}); }, 20);`,
  crashes: 'process.exit(3);',
  waits: 'setInterval(() => undefined, 1000);',
  hangs: "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);",
  migratesAndCrashes: `const sql = new (require('node:sqlite').DatabaseSync)(root + '/agent.db'); sql.exec('pragma user_version = 2; create table if not exists more (a)'); sql.close(); process.exit(3);`,
};

/** A version of the agent on the disk: a program of its own. */
const fetched = (version: string, behaviour: keyof typeof behaviours): StagedOrder => {
  const text = `#!${process.execPath}
if (process.argv[2] === '--version') { console.log('${version}'); process.exit(0); }
const fs = require('node:fs'); const root = ${JSON.stringify(room.dir)}; const file = root + '/upgrade.json';
const record = JSON.parse(fs.readFileSync(file, 'utf8')); const order = record.order;
const write = () => { fs.writeFileSync(file + '.x', JSON.stringify(record)); fs.renameSync(file + '.x', file); };
fs.appendFileSync(root + '/served', '${version}\\n');
${behaviours[behaviour]}
`;
  const build = { version, sha256: createHash('sha256').update(text).digest('hex') };
  mkdirSync(dirname(record.pathOf(build)), { recursive: true });
  writeFileSync(record.pathOf(build), text, { mode: 0o700 });
  return { ...build, id: `upgrade_${version}`, size: text.length, stage: 'waiting', tries: 0 };
};
const stage = (order: StagedOrder, current?: StagedOrder): void =>
  record.write({ format: 1, installed: fingerprint(installed), order, ...(current ? { current: { version: current.version, sha256: current.sha256 } } : {}) });
const served = (): string[] => readFileSync(join(room.dir, 'served'), 'utf8').trim().split('\n');
const makeDatabase = (): void => {
  const sql = new DatabaseSync(join(room.dir, 'agent.db'));
  sql.exec('pragma journal_mode = wal; pragma user_version = 1; create table held (a); insert into held values (1)');
  sql.close();
};
const schema = (): number => {
  const sql = new DatabaseSync(join(room.dir, 'agent.db'));
  const { user_version: version } = sql.prepare('pragma user_version').get() as { user_version: number };
  sql.close();
  return version;
};

describe('the launcher of an agent', () => {
  it('lets the installed file serve when nothing was fetched, and when the record is damaged', async () => {
    expect(await start()).toBe('serve');
    writeFileSync(join(room.dir, 'upgrade.json'), '{"format":');
    expect(await start()).toBe('serve');
    expect(existsSync(join(room.dir, 'upgrade.json.damaged'))).toBe(true);
  });

  it('keeps a version that came online, with its database, and starts it directly from then on', async () => {
    makeDatabase();
    const order = fetched('0.2.0', 'confirms');
    stage(order);
    const end = start();
    await waitUntil(() => said.some((line) => line.includes('stays')));
    launcher.stop('SIGTERM');
    expect(await end).toEqual({ exitCode: 0 });
    expect(existsSync(join(room.dir, 'agent.db.trial'))).toBe(false);
    await start();
    expect(became).toEqual([record.pathOf(order)]);
  });

  it.each([
    ['crashes', 'upgrade-crashed', 20_000], ['hangs', 'upgrade-not-online', 1_500],
  ] as const)('goes back to the version before when the new one %s', async (behaviour, code, trialMs) => {
    const before = fetched('0.2.0', 'confirms');
    stage(fetched('0.3.0', behaviour), before);
    await start(trialMs);
    expect(record.read()).toMatchObject({ current: { version: '0.2.0' }, order: { version: '0.3.0', stage: 'failed', code } });
    // A crash is looked at twice: the first may have met an agent that was about to end.
    expect(served()).toHaveLength(behaviour === 'crashes' ? 2 : 1);
    expect(became).toEqual([record.pathOf(before)]);
  }, 40_000);

  it('gives the version before its database back when the new one changed the schema', async () => {
    makeDatabase();
    stage(fetched('0.3.0', 'migratesAndCrashes'));
    expect(await start()).toBe('serve');
    expect({ schema: schema(), copy: existsSync(join(room.dir, 'agent.db.trial')) }).toEqual({ schema: 1, copy: false });
  });

  it('tries another version when the one that runs wants it', async () => {
    const [next, first] = [fetched('0.3.0', 'confirms'), fetched('0.2.0', 'confirmsAndWantsAnother')];
    stage(first);
    const end = start();
    await waitUntil(() => existsSync(join(room.dir, 'served')) && record.read().current?.version === '0.2.0' && record.read().order === undefined);
    stage(next, first);
    await waitUntil(() => record.read().order?.stage === 'confirmed' && record.read().current?.version === '0.3.0');
    launcher.stop('SIGTERM');
    expect(await end).toEqual({ exitCode: 0 });
    expect(served()).toEqual(['0.2.0', '0.3.0']);
  });

  it('lets what an operator installed by hand take the place of what was fetched', async () => {
    const current = fetched('0.2.0', 'confirms');
    record.write({ format: 1, installed: 'another file', current: { version: '0.2.0', sha256: current.sha256 } });
    expect(await start()).toBe('serve');
    expect({ record: record.read(), file: existsSync(record.pathOf(current)) }).toEqual({ record: { format: 1 }, file: false });
  });

  it('does without a version whose file is gone', async () => {
    record.write({ format: 1, installed: fingerprint(installed), current: { version: '0.2.0', sha256: 'a'.repeat(64) } });
    expect(await start()).toBe('serve');
    expect(record.read().current).toBeUndefined();
  });
});

describe('a launcher that was killed', () => {
  it.each([
    ['before anything was fetched whole', 'fetching', 0, 'serve'], ['before the trial', 'waiting', 0, 'trial'], ['in the first trial', 'trying', 1, 'trial'],
    ['in the second trial', 'trying', 2, 'trial'], ['in the third trial', 'trying', 3, 'serve'], ['after it went back', 'failed', 1, 'serve'],
  ] as const)('%s leaves an agent that works', async (_, at, tries, outcome) => {
    makeDatabase();
    // What a kill in the middle of copying leaves.
    writeFileSync(join(room.dir, 'agent.db.trial.new'), 'half');
    stage({ ...fetched('0.2.0', 'confirms'), stage: at, tries });
    const end = start();
    if (outcome === 'serve') {
      expect(await end).toBe('serve');
      if (at === 'trying') expect(record.read().order).toMatchObject({ stage: 'failed', code: 'upgrade-interrupted' });
      return;
    }
    await waitUntil(() => record.read().order?.stage === 'confirmed');
    launcher.stop('SIGTERM');
    expect(await end).toEqual({ exitCode: 0 });
  });

  it('counts no trial that its operator ended', async () => {
    stage(fetched('0.2.0', 'waits'));
    const end = start();
    await waitUntil(() => existsSync(join(room.dir, 'served')));
    launcher.stop('SIGTERM');
    expect(await end).toEqual({ exitCode: 128 + 15 });
    expect(record.read().order).toMatchObject({ stage: 'waiting', tries: 0 });
  });
});
