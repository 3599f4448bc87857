import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Variables } from '#config';
import { fault, messageOf } from '#kernel';
import { readEnrolConfig } from '../config.ts';
import { httpOf, networkOf } from '../network/network.ts';
import { masterUrl, misused, parseFlags } from './arguments.ts';
import { tokenOf, tokenOptions } from './token.ts';

const mark = '# holdfast-install v1';
const mostBytes = 1_048_576;

/** The script of the link. Throws `master-unreachable`, or `not-the-script` for whatever else came. */
const fetchScript = async (master: string, token: string, network: Parameters<typeof httpOf>[0]): Promise<string> => {
  const http = httpOf(network);
  try {
    const url = new URL(`/install/${encodeURIComponent(token)}`, master).href;
    const { status, body } = await http({ method: 'GET', url, headers: {}, maxBytes: mostBytes, signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
      throw fault('unavailable', 'master-unreachable', `Cannot reach ${master} (${messageOf(cause)}); check the URL, the network and --ca`, { cause });
    });
    const script = Buffer.from(body).toString('utf8');
    if (status === 200 && script.split('\n')[1] === mark) return script;
    const what = /<html|<!doctype/i.test(script) ? 'a web page: a proxy between this host and the master answers by itself, or the URL is not the master\'s' : `status ${status}`;
    throw fault('refused', 'not-the-script', `What came from ${master} is not the install script but ${what}. Nothing was installed`);
  } finally {
    http.close();
  }
};

const pemOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault('validation', 'invalid-arguments', `${file} cannot be read; correct the path of --ca`, { cause });
  }
};

/** `holdfast-agent install`: what the one line of a link does, on a host that has the program already; resolves with the exit code. The script goes in by a pipe. */
export const installVerb = async (args: readonly string[], variables: Variables): Promise<number> => {
  const flags = parseFlags('install', args, { ...tokenOptions, master: { type: 'string' }, ca: { type: 'string' }, proxy: { type: 'string' } });
  const config = readEnrolConfig(variables);
  const master = masterUrl('install', flags.master);
  const token = tokenOf(flags, config.token, (words) => void process.stderr.write(`${words}\n`));
  if (!token) throw misused('install', 'Say the token of an enrolment link');
  const proxy = flags.proxy ?? config.network.proxy;
  const network = networkOf({ direct: config.network.direct, ...(proxy === undefined ? {} : { proxy }) }, { ca: flags.ca === undefined ? undefined : pemOf(flags.ca) });
  const script = await fetchScript(master, token, network);
  const settings = Object.entries(variables).filter(([name]) => name !== 'HOLDFAST_ENROL_TOKEN');
  const shell = spawn('/bin/sh', ['-s'], { stdio: ['pipe', 'inherit', 'inherit'], env: Object.fromEntries(settings) });
  shell.stdin.on('error', () => undefined).end(script);
  const [code] = await (once(shell, 'close') as Promise<[number | null]>);
  return code ?? 1;
};
