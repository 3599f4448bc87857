import { expect, it } from 'vitest';
import type { AppError } from '#kernel';
import { Output } from '../output.ts';
import { JobOutput } from './job-output.ts';

const hear = (json: boolean) => {
  const text = { out: '', words: '' };
  const stream = (name: 'out' | 'words') => ({ isTTY: false, write: (more: string) => { text[name] += more; } }) as unknown as NodeJS.WriteStream;
  return { job: new JobOutput(new Output(json, stream('out'), stream('words'))), text };
};
const checked = JSON.stringify({ message_type: 'log-check', state: 'agree', archived: 12_345, last: 12_346, created: '2026-01-01T00:00:00.000Z' });
const failed = JSON.stringify({ message_type: 'error', kind: 'conflict', code: 'log-diverged', detail: 'The log is another one.', internal: 'seen at 7' });

it('people read a sentence, programs one object', () => {
  const [people, programs] = [hear(false), hear(true)];
  for (const { job } of [people, programs]) {
    job.said(JSON.stringify({ level: 'info', msg: 'connected' }));
    job.done(checked);
    job.end(0);
  }
  expect(people.text).toEqual({ out: 'The log and its archive agree: the archive ends at event 12,345, the log at 12,346.\n', words: '' });
  expect(programs.text).toEqual({ out: `${checked}\n`, words: '' });
});

it('warnings on the way are said in words, with their reason', () => {
  const { job, text } = hear(false);
  job.said(JSON.stringify({ level: 'warn', msg: 'The database does not answer yet', reason: 'refused' }));
  job.said('a line of something else');
  expect(text.words).toBe('The database does not answer yet: refused\na line of something else\n');
});

it('an error of the job is thrown as what it was there, with its code and what it is about', () => {
  const { job, text } = hear(false);
  job.said(failed);
  expect(() => { job.end(1); }).toThrow(expect.objectContaining({ kind: 'conflict', code: 'log-diverged', detail: 'The log is another one.' }) as AppError);
  expect(text.words).toBe('seen at 7\n');
});

it('a job that dies without a word is an error too', () => {
  expect(() => { hear(false).job.end(null); }).toThrow('job-ended');
});
