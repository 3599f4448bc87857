import { expect, it } from 'vitest';
import { taskBody } from './task-flags.ts';
import { type TaskView, taskText } from './task-view.ts';

const before: TaskView = {
  id: 'task_1', revision: 4, name: 'homes', status: 'active', nodes: [], selector: { site: 'vienna' }, place: 'all', offline: 'wait', waitSeconds: 86_400, target: 'target_1',
  source: { type: 'files', paths: ['/home'], excludes: ['*.tmp'], oneFileSystem: true }, schedule: { cron: '0 3 * * *', timeZone: 'Europe/Vienna', misfire: 'skip' },
  overlap: 'skip', retention: { keepLast: 3, keepDaily: 14 }, timeoutSeconds: 3600, retries: { max: 2, delaySeconds: 60 }, createdAt: 'c', changedAt: 'd',
};

it('a change names what is asked for, and nothing else', () => {
  expect(taskBody({}, before)).toEqual({});
  expect(taskBody({ place: 'any', offline: 'wait', wait: '2h' }, before)).toEqual({ place: 'any', offline: 'wait', waitSeconds: 7200 });
  expect(taskBody({ timeout: '12h', overlap: 'queue' }, before)).toEqual({ timeoutSeconds: 43_200, overlap: 'queue' });
});
it('what stands in a field beside what is asked for stays', () => {
  expect(taskBody({ path: ['/home', '/srv'] }, before)).toEqual({ source: { ...before.source, paths: ['/home', '/srv'] } });
  expect(taskBody({ oneFileSystem: false, exclude: false, caches: true }, before)).toEqual({ source: { ...before.source, oneFileSystem: false, excludes: [], excludeCaches: false } });
  expect(taskBody({ timeZone: 'UTC' }, before)).toEqual({ schedule: { ...before.schedule, timeZone: 'UTC' } });
  expect(taskBody({ retries: '0' }, before)).toEqual({ retries: { max: 0, delaySeconds: 60 } });
  expect(taskBody({ keepDaily: 'none', keepWeekly: '8' }, before)).toEqual({ retention: { keepLast: 3, keepWeekly: 8 } });
});
it('a schedule is taken away, and none is made of a time zone alone', () => {
  expect(taskBody({ schedule: false }, before)).toEqual({ schedule: null });
  const { schedule: _none, ...byHand } = before;
  expect(() => taskBody({ timeZone: 'UTC' }, byHand)).toThrow(/no schedule/);
});
it.each([{ timeout: 'long' }, { keepLast: 'few' }, { keepWithinDays: 'x' }, { retries: '-1' }, { readers: 'many' }, { wait: '5 minutes' }])('%o is refused', (flags) => {
  expect(() => taskBody(flags)).toThrow(/length of time|whole number/);
});
it.each(['', 'etc', './etc', '~/etc'])('a path "%s", which would mean another thing on the node, is refused', (path) => {
  expect(() => taskBody({ path: [path] })).toThrow(/absolute path/);
});
it('an absolute path is told as the node knows it', () => {
  expect(taskBody({ path: ['/tmp/../etc//ssl/'] })).toEqual({ source: { type: 'files', paths: ['/etc/ssl/'] } });
});
it('a task in words says where it runs and what becomes of it there', () => {
  const words = taskText(before, { nodes: new Map(), targets: new Map([['target_1', 'disk']]) });
  expect(words).toMatch(/runs on +all nodes with site=vienna[\s\S]*node away +wait, .* and no longer[\s\S]*leaves out +\*\.tmp[\s\S]*target +disk[\s\S]*keeps +last 3, daily 14/);
});
