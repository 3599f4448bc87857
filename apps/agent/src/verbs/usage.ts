import { fault, isAppError, messageOf } from '#kernel';

/** The flags of each verb, for those who ask and for those who were mistaken. */
export const usages = {
  run: 'Usage: holdfast-agent run [--master URL --token-file FILE|--token -] [--state DIR] [--config FILE] [--temp-dir DIR] [--insecure-tls]',
  status: 'Usage: holdfast-agent status [--state DIR] [--config FILE] [--check] [--json]',
  install: 'Usage: holdfast-agent install --master URL --token-file FILE|--token - [--ca FILE] [--proxy URL]',
  enrol: 'Usage: holdfast-agent enrol --master URL --token-file FILE|--token - [--state DIR] [--again] [--insecure-tls]; the token may instead stand in HOLDFAST_ENROL_TOKEN',
  uninstall: 'Usage: holdfast-agent uninstall [--keep-state] [--root DIR]',
} as const;

/** What the program can be told to do. */
export type Verb = keyof typeof usages;

/** What there is. */
export const help = `Usage: holdfast-agent [VERB] [FLAGS]
  run        serve, until it is told to end (what the bare program does); with --master and a token become a node first
  status     how the agent of this host is; --check looks at the network, --json
  install    with --master and a token: what the one line of an enrolment link does
  enrol      with --master and a token: become a node, without serving
  uninstall  take the agent off this host; --keep-state
  --version
A token comes from --token-file FILE, from --token - (standard input), or from HOLDFAST_ENROL_TOKEN. VERB --help names the flags.
Exit codes: 0 done, 1 failed, 2 usage or settings.`;

/** What a verb understands; everything, for a word that is none or has no flags. */
export const helpOf = (word: string): string => (Object.hasOwn(usages, word) ? usages[word as Verb] : help);

/** How the program ends with an error: what it says to people, or to programs (`json`), and its exit code. */
export const endOf = (error: unknown, json: boolean): { readonly words: string; readonly exitCode: number } => {
  const { kind, code, detail } = isAppError(error) ? error : fault('internal', 'internal-error', messageOf(error));
  return { words: json ? JSON.stringify({ message_type: 'error', code, detail }) : `${code}: ${detail}`, exitCode: kind === 'validation' ? 2 : 1 };
};
