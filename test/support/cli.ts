import { type ChildProcess, spawn } from 'node:child_process';
import { type EmbeddedStack, holdfast } from './embedded-stack.ts';

/** One line that `--json` wrote. */
export interface Message {
  readonly message_type: string;
  readonly [field: string]: unknown;
}

/** How a command of the user ended and what it said. */
export interface CommandEnd {
  readonly code: number | null;
  readonly out: string;
  readonly words: string;
}

/** A command of the user that is still running. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandEnd>;
}

/** Variables of a user who has an API key; one for each stack. */
export const accessOf = async (stack: EmbeddedStack): Promise<Record<string, string>> => {
  const { secret } = await stack.callPatiently<{ secret: string }>('POST', '/api/v1/api-keys', { name: `story ${process.hrtime.bigint()}`, role: 'admin' });
  return { HOLDFAST_URL: stack.announcement.url, HOLDFAST_TOKEN: secret };
};

/** Starts `holdfast ARGS` as a user of the stack's machine would; `extra` are variables of their environment. */
export const startCli = (stack: EmbeddedStack, args: readonly string[], extra: Readonly<Record<string, string>> = {}): RunningCommand => {
  const child = spawn(holdfast, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], HOLDFAST_DATA: stack.data, ...extra } });
  let [out, words] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString(); });
  child.stderr.on('data', (chunk: Buffer) => { words += chunk.toString(); });
  const ended = new Promise<CommandEnd>((resolve) => child.once('close', (code) => resolve({ code, out, words })));
  return { child, ended };
};

/** Runs `holdfast ARGS` to its end. */
export const cli = (stack: EmbeddedStack, args: readonly string[], extra: Readonly<Record<string, string>> = {}): Promise<CommandEnd> =>
  startCli(stack, args, extra).ended;

/** The lines of `--json`; throws where one is not a JSON object with a `message_type`. */
export const messagesOf = (text: string): Message[] =>
  text.trim().split('\n').filter(Boolean).map((line) => {
    const message = JSON.parse(line) as Message;
    if (typeof message.message_type !== 'string') throw new Error(`No message_type in ${line}`);
    return message;
  });
