/**
 * Entry of the agent that is one executable file. The same file is the agent and, started by it with one word, the data plane of an
 * attempt; only the code of the role is run.
 */
const start = (): Promise<unknown> =>
  process.argv[2] === 'data-plane' ? import('./data-plane/main.ts') : import('./main.ts');

start().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
