// Writes docs/openapi.json from the built master, or with --check compares it. Starts no server.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs', 'openapi.json');
const program = join(root, 'dist', 'apps', 'master', 'src', 'openapi.js');
const made = execFileSync(process.execPath, [program], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

if (!process.argv.includes('--check')) {
  writeFileSync(file, made);
} else if (readFileSync(file, 'utf8') !== made) {
  process.stderr.write('docs/openapi.json is not what the code says: run npm run build && npm run openapi, and commit it\n');
  process.exit(1);
}
