/**
 * Entry of the agent that is one executable file. The same file is the agent and, started by it with one word, the data plane of an
 * attempt; only the code of the role is run. Without a word it decides first which version of the agent is to serve.
 */
const start = async (): Promise<unknown> => {
  const [role] = process.argv.slice(2);
  if (role === 'data-plane') return import('./data-plane/main.ts');
  if (role === undefined) await (await import('./upgrade/launch-here.ts')).launchHere();
  return import('./main.ts');
};

start().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
