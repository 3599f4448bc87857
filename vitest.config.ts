import { defineConfig } from 'vitest/config';

/** One project for each cost of test; the file name's suffix says which one a test belongs to. */
const project = (name: string, include: string[], timeoutMs: number, more: { readonly fileParallelism?: boolean; readonly isolate?: boolean; readonly globalSetup?: string } = {}) => ({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    name,
    include,
    testTimeout: timeoutMs,
    hookTimeout: Math.max(timeoutMs, 60_000),
    pool: 'forks' as const,
    execArgv: ['--conditions=source'],
    setupFiles: ['./vitest.setup.ts'],
    ...more,
  },
});

export default defineConfig({
  test: {
    projects: [
      // Where files share their process, modules are loaded once for all of them: a file puts back what it changes in the process.
      project('unit', ['{apps,libs,test}/**/*.unit.spec.ts'], 30_000, { isolate: false }),
      project('int', ['{apps,libs,test}/**/*.int.spec.ts'], 120_000, { isolate: false, globalSetup: './libs/testing/src/shared-postgres.setup.ts' }),
      project('e2e', ['test/e2e/**/*.e2e.spec.ts'], 180_000),
      project('fault', ['test/fault/**/*.fault.spec.ts'], 1_800_000, { fileParallelism: false }),
    ],
  },
});
