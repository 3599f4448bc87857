import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';

// Not where Node would keep it: in a folder for temporary files others could lay down code that root then runs.
try {
  enableCompileCache(join(userInfo().homedir, '.cache/holdfast'));
} catch {
  // A user without a home starts a little slower.
}
// Whoever reads (head, less) has seen enough: the rest is written to nobody, and that is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? 0);
  });
}
const { runCommandLine } = await import('./command-line.ts');
process.exitCode = await runCommandLine(process.argv.slice(2));
