import { afterAll, beforeAll, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { readConfig } from '#config';
import { type TestDatabase, startDatabase } from '#testing';
import { MasterConfig } from '../../../platform/config/master.config.ts';
import { LiveExecutors } from './live-tables.adapter.ts';

let postgres: TestDatabase;
let database: DataSource;
beforeAll(async () => {
  postgres = await startDatabase();
  database = await new DataSource({ type: 'postgres', url: postgres.url }).initialize();
  await database.query('create schema live; create table live.executors (instance text primary key, beat_at timestamptz not null, believed_until timestamptz)');
});
afterAll(async () => {
  await database.destroy();
  await postgres.stop();
});

const executors = (silence: string): LiveExecutors => new LiveExecutors(database, readConfig(MasterConfig, { HOLDFAST_EXECUTOR_SILENCE: silence }));
/** Lets time pass for what is in the table. */
const pass = (seconds: number) =>
  database.query('update live.executors set beat_at = beat_at - make_interval(secs => $1), believed_until = believed_until - make_interval(secs => $1)', [seconds]);

it('a master is believed alive for as long as it says itself, whoever asks', async () => {
  const [patient, quick] = [executors('60'), executors('15')];
  await patient.beat('patient');
  await quick.beat('quick');
  expect([await quick.isAlive('patient'), await patient.isAlive('quick')]).toEqual([true, true]);
  await pass(16);
  expect([await quick.isAlive('patient'), await patient.isAlive('quick')]).toEqual([true, false]);
  await quick.beat('quick');
  await pass(14);
  expect([await patient.isAlive('patient'), await quick.isAlive('quick')]).toEqual([true, true]);
  await pass(31);
  expect([await quick.isAlive('patient'), await quick.isAlive('quick')]).toEqual([false, false]);
});

it('a master of an older version, which does not say so, is believed alive for a minute; one that never beat is not', async () => {
  await database.query("insert into live.executors (instance, beat_at) values ('old', now())");
  expect([await executors('15').isAlive('old'), await executors('15').isAlive('nobody')]).toEqual([true, false]);
  await pass(59);
  expect(await executors('15').isAlive('old')).toBe(true);
  await pass(2);
  expect(await executors('15').isAlive('old')).toBe(false);
});
