import { defineConfig } from 'vitest/config';

/** One project for each cost of test; the file name's suffix says which one a test belongs to. */
const project = (name: string, include: string[], timeoutMs: number, serial = false) => ({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    name,
    include,
    testTimeout: timeoutMs,
    hookTimeout: Math.max(timeoutMs, 60_000),
    pool: 'forks' as const,
    fileParallelism: !serial,
    execArgv: ['--conditions=source'],
    setupFiles: ['./vitest.setup.ts'],
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', ['{apps,libs,test}/**/*.unit.spec.ts'], 30_000),
      project('int', ['{apps,libs,test}/**/*.int.spec.ts'], 120_000),
      project('e2e', ['test/e2e/**/*.e2e.spec.ts'], 180_000, true),
      project('fault', ['test/fault/**/*.fault.spec.ts'], 1_800_000, true),
    ],
  },
});
