// Prints the full name and the first lines of every failed test of Vitest JSON reports, of suites that failed outside of their tests
// (a hook, an import) and of errors outside of any. The last two are told on the terminal only: x.json has its output beside it in
// x.log. Prints nothing when nothing failed.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const linesOfError = 8;
const firstLines = (text, count) => stripVTControlCharacters(text ?? '').trim().split('\n').slice(0, count).map((line) => `    ${line.slice(0, 300)}`).join('\n');
const say = (project, where, text, count = linesOfError) => console.log(`FAILED (${project}): ${where}\n${firstLines(text, count)}`);

const read = (file) => (existsSync(file) ? stripVTControlCharacters(readFileSync(file, 'utf8')) : '');

const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

/** What the output says behind the first line that matches. */
const behind = (log, start) => {
  const at = log.search(start);
  return at < 0 ? undefined : log.slice(log.indexOf('\n', at)).replace(/^[\s⎯]+/, '');
};

const reportFile = (project, log, { name, status, message, assertionResults }) => {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const file = relative(process.cwd(), name);
  for (const test of failed) say(project, [file, ...test.ancestorTitles, test.title].filter(Boolean).join(' > '), test.failureMessages.join('\n'));
  if (status !== 'failed' || failed.length > 0) return;
  say(project, file, message || behind(log, new RegExp(`FAIL\\W+${project}\\W+${RegExp.escape(file)}`)) || 'It failed outside of its tests.');
};

/** Which file and which test an error outside of tests came in the time of: Vitest says it some lines below the trace. */
const origin = /^(This error originated in|The latest test that might've caused the error is) .*$/gm;

/** Each error outside of tests, the first lines of it and where it came from. */
const reportUnhandled = (project, log) => {
  const section = behind(log, /Unhandled Error/);
  if (section === undefined) return;
  const [words, ...errors] = section.split(/^⎯+$/m)[0].split(/^⎯+ [^⎯]+ ⎯+$/m);
  for (const error of errors.length > 0 ? errors : [words]) {
    say(project, 'outside of every test', [...error.replace(origin, '').trim().split('\n').slice(0, linesOfError), ...(error.match(origin) ?? [])].join('\n'), linesOfError + 2);
  }
};

for (const file of process.argv.slice(2)) {
  const project = file.replace(/^.*\/|\.json$/g, '');
  const [report, log] = [readReport(file), read(file.replace(/json$/, 'log'))];
  if (!report) say(project, 'the whole run', `It ended without a report.\n${log.trim().split('\n').slice(-linesOfError).join('\n')}`);
  for (const one of report?.testResults ?? []) reportFile(project, log, one);
  reportUnhandled(project, log);
}
