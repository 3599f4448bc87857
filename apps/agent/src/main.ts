import 'reflect-metadata';
import { type Variables, environment } from '#config';
import { fault, isBundled } from '#kernel';
import { enrolCommand } from './enrol/enrol.command.ts';
import { uninstallCommand } from './install/uninstall.ts';
import { installVerb } from './verbs/install.verb.ts';
import { runVerb } from './verbs/run.verb.ts';
import { statusVerb } from './verbs/status.verb.ts';
import { endOf, help, helpOf } from './verbs/usage.ts';
import { agentVersion } from './version.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** What each first word does; resolves with the exit code. */
const verbs: Readonly<Record<string, (args: readonly string[], variables: Variables) => Promise<number | undefined>>> = {
  run: (args, variables) => runVerb(args, variables, undefined),
  // "serve FILE": a version that the installed file FILE has started.
  serve: ([launcher], variables) => runVerb([], variables, launcher),
  status: statusVerb,
  install: installVerb,
  enrol: async (args, variables) => void print(await enrolCommand(args, variables)),
  uninstall: async (args) => void print(uninstallCommand(args)),
  '--version': async () => void print(agentVersion),
  '--help': async () => void print(help),
};

const main = async ([word, ...args]: readonly string[]): Promise<number> => {
  if (word === undefined) return runVerb([], environment(), isBundled() ? process.execPath : undefined);
  const verb = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (!verb) throw fault('validation', 'invalid-arguments', `There is no ${word}.\n${help}`);
  // Before the verb sees it: nobody who asks what uninstall does means to do it.
  if (args.includes('--help') || args.includes('-h')) {
    print(helpOf(word));
    return 0;
  }
  return (await verb(args, environment())) ?? 0;
};

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const { words, exitCode } = endOf(error, process.argv.includes('--json'));
    process.stderr.write(`${words}\n`);
    process.exit(exitCode);
  },
);
