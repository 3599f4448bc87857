// Prints the full name and the first lines of every failed test of Vitest JSON reports, of suites that did not load, and of errors
// outside of tests (from the log beside a report: x.json has x.log). Prints nothing when nothing failed.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const linesOfError = 8;
const firstLines = (text) => stripVTControlCharacters(text ?? '').trim().split('\n').slice(0, linesOfError).map((line) => `    ${line.slice(0, 300)}`).join('\n');
const say = (project, file, name, text) => console.log(`FAILED (${project}): ${file}${name ? ` > ${name}` : ''}\n${firstLines(text)}`);

const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
};

const reportFile = (project, { name, status, message, assertionResults }) => {
  const failed = assertionResults.filter((test) => test.status === 'failed');
  const file = relative(process.cwd(), name);
  for (const test of failed) say(project, file, [...test.ancestorTitles, test.title].filter(Boolean).join(' > '), test.failureMessages.join('\n'));
  if (status === 'failed' && failed.length === 0) say(project, file, '', message || 'The suite failed outside of its tests.');
};

/** Vitest tells errors outside of tests on the terminal only. */
const reportUnhandled = (project, logFile) => {
  const log = existsSync(logFile) ? stripVTControlCharacters(readFileSync(logFile, 'utf8')) : '';
  const at = log.indexOf('Unhandled Error');
  if (at >= 0) say(project, 'outside of every test', '', log.slice(log.indexOf('\n', at)).replace(/^[\s⎯]+/, ''));
};

for (const file of process.argv.slice(2)) {
  const project = file.replace(/^.*\/|\.json$/g, '');
  const report = readReport(file);
  if (!report) say(project, 'the whole run', '', `It ended without a report.\n${existsSync(file.replace(/json$/, 'log')) ? readFileSync(file.replace(/json$/, 'log'), 'utf8').slice(-1500) : ''}`);
  for (const one of report?.testResults ?? []) reportFile(project, one);
  reportUnhandled(project, file.replace(/json$/, 'log'));
}
