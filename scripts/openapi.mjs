// Writes docs/openapi.json from the built controllers, with nothing started; with --check only compares (exit code 1: out of date).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'docs/openapi.json';
const text = execFileSync(process.execPath, ['dist/apps/master/src/openapi.js'], { encoding: 'utf8', maxBuffer: 64 << 20 });

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error(`${file} is out of date; run npm run build && npm run openapi`);
    process.exit(1);
  }
} else writeFileSync(file, text);
