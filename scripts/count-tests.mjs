// Prints "passed failed skipped" of a Vitest JSON report; a suite that did not load counts as failed.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')).length;
console.log(report.numPassedTests, report.numFailedTests + broken, report.numPendingTests + report.numTodoTests);
