import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import { counted, fault, hasCode } from '#kernel';
import type { CommandContext } from '../context.ts';
import { humanDuration, table } from '../format.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';
import { type InstallFlags, installBody, withInstallFlags } from './install-flags.ts';
import { labelsAfter } from './labels.ts';
import { numberOf } from './length-of-time.ts';

interface Link {
  readonly token: string;
  readonly expiresAt: string;
  readonly remainingSeconds: number;
  readonly command: string;
}

interface Batch {
  readonly id: string;
  readonly remainingSeconds: number;
  readonly links: readonly (Omit<Link, 'expiresAt' | 'remainingSeconds'> & { readonly name: string; readonly node: string })[];
  readonly script: string;
}

interface LinkView {
  readonly id: string;
  readonly node: string;
  readonly batch?: string;
  readonly status: string;
  readonly remainingSeconds?: number;
}

const left = (seconds: number | undefined): string => (seconds === undefined ? '' : humanDuration(seconds * 1000));

/** Makes a link for a node and shows it; nobody can see it again. */
const giveLink = async (context: CommandContext, node: string, body: object): Promise<void> => {
  const link = await (await context.api()).post<Link>('/api/v1/enrolment-links', { node, ...body });
  context.output.result('enrolment-link', { ...link, node },
    `${node}\ntoken ${link.token} (once, ${left(link.remainingSeconds)} left, until ${link.expiresAt})\non the host, as root:\n${link.command}`);
};

interface AddFlags extends InstallFlags {
  readonly label?: readonly string[];
  readonly slots?: string;
}

const addNode = async (context: CommandContext, name: string, { label, slots, ...flags }: AddFlags): Promise<void> => {
  const body = installBody(flags);
  const fields = { ...(label ? { labels: labelsAfter({}, label) } : {}), ...(slots === undefined ? {} : { slots: numberOf('--slots', slots) }) };
  const api = await context.api();
  const node = await api.post<{ readonly id: string }>('/api/v1/nodes', { name, ...fields }).catch((error: unknown) => {
    if (hasCode(error, 'name-taken')) context.output.note(`Another link for the same node: holdfast nodes enrol ${name}`);
    throw error;
  });
  await giveLink(context, node.id, body).catch(async (error: unknown) => {
    // A node without a way to enrol is none, and its name could not be given again.
    await api.delete(`/api/v1/nodes/${node.id}`).catch(() => undefined);
    throw error;
  });
};

const enrolNode = async (context: CommandContext, name: string, flags: InstallFlags): Promise<void> => {
  const body = installBody(flags);
  const nodes = await (await context.api()).all<{ readonly id: string; readonly name: string }>('/api/v1/nodes');
  await giveLink(context, findOne(nodes, name, 'node').id, body);
};

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/);
  } catch (cause) {
    throw fault('validation', 'file-unreadable', `${file} cannot be read; name a file with one name a line, or - for the standard input`, { cause });
  }
};

/** Opened before the batch is made: its tokens are shown once. */
const openScript = (file: string): number => {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (cause) {
    throw fault('validation', 'file-exists', `${file} cannot be made (is it there already?); give --script another name`, { cause });
  }
};

const writeScript = (handle: number, script: string): void => {
  writeSync(handle, script);
  closeSync(handle);
};

const enrolBatch = async (context: CommandContext, file: string, { script, ...flags }: InstallFlags & { readonly script?: string }): Promise<void> => {
  const body = { names: linesOf(file), ...installBody(flags) };
  const api = await context.api();
  const handle = script === undefined ? undefined : openScript(script);
  const batch = await api.post<Batch>('/api/v1/enrolment-batches', body).catch((error: unknown) => {
    if (script !== undefined) rmSync(script, { force: true });
    throw error;
  });
  if (script !== undefined && handle !== undefined) {
    writeScript(handle, batch.script);
    const nodes = batch.links.map(({ name, node }) => ({ name, node }));
    context.output.result('enrolment-batch', { id: batch.id, nodes, script, remainingSeconds: batch.remainingSeconds },
      `${batch.id}: ${counted(nodes.length, 'node')}, ${left(batch.remainingSeconds)} left\n${script} installs them; how is in its first lines. It holds their tokens: delete it afterwards`);
    return;
  }
  for (const link of batch.links) context.output.message('enrolment-link', { batch: batch.id, remainingSeconds: batch.remainingSeconds, ...link });
  const rows = batch.links.map(({ name, node, command }) => [name, node, command]);
  context.output.text(table(['NAME', 'NODE', 'ON THE HOST, AS ROOT'], rows));
  context.output.text(`${batch.id}: each command works once, ${left(batch.remainingSeconds)} left`);
};

const showLinks = async (context: CommandContext, { batch, node, all }: { readonly batch?: string; readonly node?: string; readonly all?: boolean }): Promise<void> => {
  const api = await context.api();
  const nodes = await api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes');
  const query = new URLSearchParams({ ...(batch ? { batch } : {}), ...(node ? { node: findOne(nodes, node, 'node').id } : {}), ...(all ? {} : { status: 'open' }) });
  const links = await api.all<LinkView>(`/api/v1/enrolment-links?${query.toString()}`);
  const names = new Map(nodes.map(({ id, name }) => [id, name]));
  for (const link of links) context.output.message('enrolment-link', link);
  const rows = links.map((link) => [link.id, names.get(link.node) ?? link.node, link.status, left(link.remainingSeconds), link.batch ?? '']);
  context.output.text(table(['LINK', 'NODE', 'STATUS', 'LEFT', 'BATCH'], rows));
};

const revokeLink = async (context: CommandContext, id: string): Promise<void> => {
  const api = await context.api();
  if (!id.startsWith('batch_')) {
    await api.post(`/api/v1/enrolment-links/${encodeURIComponent(id)}:revoke`);
    return context.output.result('enrolment-link', { id, changed: 'revoke' }, `${id}: revoked`);
  }
  const counts = await api.post<{ readonly revoked: number; readonly used: number }>(`/api/v1/enrolment-batches/${encodeURIComponent(id)}:revoke`);
  context.output.result('enrolment-batch', { id, ...counts }, `${id}: ${counted(counts.revoked, 'link')} revoked, ${counts.used} had been used`);
};

/** `holdfast nodes add|enrol|enrol-batch|links|revoke-link`: how hosts become nodes. */
export const registerEnrolment = (nodes: Command, context: CommandContext): void => {
  withExamples(withInstallFlags(nodes.command('add <name>').description('add a node and print the one-time command that installs its agent')),
    'nodes add web-1', 'nodes add web-2 --label site=vienna --slots 2 --mode docker --life 1h')
    .option('--label <key=value>', 'several times for several', (word: string, before: readonly string[] = []) => [...before, word])
    .option('--slots <n>', 'how many runs it may work on at once (default: 1)')
    .action((name: string, flags: AddFlags) => addNode(context, name, flags));
  withExamples(withInstallFlags(nodes.command('enrol <node>').alias('reinstall')
    .description('a new one-time command for a node that exists: its host was installed anew, or its first link has run out. Every key that it has now ends when the command is run')),
  'nodes enrol web-1', 'nodes enrol web-1 --proxy http://proxy:3128 --life 1h')
    .action((name: string, flags: InstallFlags) => enrolNode(context, name, flags));
  withExamples(withInstallFlags(nodes.command('enrol-batch [file]').description('add up to 50 nodes, one name a line of the file (default: -, the standard input), all or none')),
    'nodes enrol-batch names.txt --life 1h --script agents.sh')
    .option('--script <file>', 'write a shell script that installs them over ssh, readable by you alone, instead of printing the commands')
    .action((file: string | undefined, flags: InstallFlags & { readonly script?: string }) => enrolBatch(context, file ?? '-', flags));
  withExamples(nodes.command('links').description('one-time links that still work, and how long'), 'nodes links --node web-1 --all')
    .option('--batch <batch>', 'only those that were made at once').option('--node <node>', 'only those of this node').option('--all', 'those that are over too')
    .action((flags: { readonly batch?: string; readonly node?: string; readonly all?: boolean }) => showLinks(context, flags));
  withExamples(nodes.command('revoke-link <id>').description('take a link back that nobody has used, or all of a batch'), 'nodes revoke-link link_0123456789abcdefghjk')
    .action((id: string) => revokeLink(context, id));
};
