import { environment } from '#config/environment';
import { systemClock } from '#kernel';
import { Launcher } from './launch.ts';

const seconds = (text: string | undefined): number => (text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : 120);

/** Makes this process that program, with its own variables. */
export const become = (file: string, args: readonly string[]): void => {
  const variables = Object.fromEntries(Object.entries(environment()).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  process.execve?.(file, [file, ...args], variables);
};

/** The launcher of the installed file, started without a word. Resolves when this process itself is to serve; ends it otherwise. */
export const launchHere = async (): Promise<void> => {
  const variables = environment();
  const launcher = new Launcher({
    stateDir: variables['HOLDFAST_STATE_DIR'] ?? '/var/lib/holdfast-agent', installed: process.execPath, clock: systemClock,
    trialMs: seconds(variables['HOLDFAST_AGENT_TRIAL_SECONDS']) * 1000, become,
    say: (line) => void process.stderr.write(`holdfast-agent: ${line}\n`),
  });
  const signals = ['SIGTERM', 'SIGINT'] as const;
  const stop = (signal: NodeJS.Signals): void => launcher.stop(signal);
  for (const signal of signals) process.on(signal, stop);
  const end = await launcher.run();
  for (const signal of signals) process.removeListener(signal, stop);
  if (end !== 'serve') process.exit(end.exitCode);
};
