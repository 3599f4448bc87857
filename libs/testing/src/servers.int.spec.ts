import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'nats';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { startNats, startPostgres, waitUntil } from './index.ts';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const query = async (url: string, sql: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
};

describe('servers for tests', () => {
  it('a killed nats-server comes back on the same port with what it acknowledged', async () => {
    const nats = await startNats();
    const first = await connect({ servers: nats.url, reconnect: false });
    const manager = await first.jetstreamManager();
    await manager.streams.add({ name: 'T', subjects: ['t.>'] });
    await first.jetstream().publish('t.1', 'x');
    await nats.kill();
    await first.closed();
    await nats.restart();
    const second = await connect({ servers: nats.url });
    expect((await (await second.jetstreamManager()).streams.info('T')).state.messages).toBe(1);
    await second.close();
    await nats.stop();
    expect(alive(nats.pid())).toBe(false);
  });

  it('a killed Postgres comes back on the same port with what it committed', async () => {
    const postgres = await startPostgres();
    await postgres.createDatabase('base');
    await query(postgres.url.replace(/postgres$/, 'base'), 'create table t as select 1 as n');
    const url = await postgres.createDatabase('copy', 'base');
    await query(url, 'insert into t values (2)');
    await postgres.kill();
    await postgres.restart();
    expect(await query(url, 'select n from t order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    await postgres.stop();
    expect(alive(postgres.pid())).toBe(false);
  });

  it.runIf(process.platform === 'linux')('servers die with a test process that is killed', async () => {
    const script = "import { startNats, startPostgres } from '#testing'; const [n, p] = await Promise.all([startNats(), startPostgres()]); "
      + 'console.log(JSON.stringify([n.pid(), p.pid()])); setInterval(() => {}, 1000);';
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.every(alive)).toBe(true);
    child.kill('SIGKILL');
    await waitUntil(() => !pids.some(alive));
  });
});
