import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { humanBytes, table } from '../format.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';

interface NodeView {
  readonly id: string;
  readonly name: string;
}

interface EntryView {
  readonly path: string;
  readonly path64?: string;
  readonly type?: string;
  readonly size?: number;
  readonly modified?: string;
  readonly user?: string;
  readonly error?: string;
}

interface DirectoryView {
  readonly path: string;
  readonly items: readonly EntryView[];
  readonly total: number;
  readonly nextCursor?: string;
  readonly error?: string;
}

interface DiscoveryView {
  readonly kind: string;
  readonly path?: string;
  readonly version?: string;
  readonly running?: boolean;
  readonly sockets: readonly string[];
  readonly ports: readonly string[];
  readonly size?: number;
  readonly container?: string;
  readonly evidence: readonly { readonly by: string; readonly detail: string }[];
}

interface DiscoveriesView {
  readonly items: readonly DiscoveryView[];
  readonly notes: readonly { readonly code: string; readonly detail: string }[];
}

/** Notes of one kind that are told; the rest is counted. */
const mostNotes = 5;

const nodeOf = async (api: ApiClient, name: string): Promise<NodeView> => findOne(await api.all<NodeView>('/api/v1/nodes'), name, 'node');

const rowOf = ({ type, size, modified, user, path, error }: EntryView): string[] =>
  [error ? `${type ?? '?'} (${error})` : (type ?? '?'), type === 'file' && size !== undefined ? humanBytes(size) : '', modified ?? '', user ?? '', path];

/** What the host said of a directory that it could not list, for people. */
const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such path on the host', ENOTDIR: 'that is not a directory', EACCES: 'the agent may not look into it', ETIMEDOUT: 'the host did not answer in time',
};

const refused = ({ output, onExitCode }: CommandContext, path: string, error: string): void => {
  onExitCode(error === 'ENOENT' ? 4 : 1);
  output.result('directory', { path, error }, `${path}: ${words[error] ?? 'it cannot be listed'} [${error}]`);
};

/** Page by page, so that a directory of a million names needs no memory here either. */
const browse = async (context: CommandContext, name: string, path: string, { limit }: { readonly limit?: string }): Promise<void> => {
  const api = await context.api();
  const { id } = await nodeOf(api, name);
  let left = limit === undefined ? Infinity : Number(limit);
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ path, limit: String(Math.max(1, Math.min(left, 1000))), ...(cursor ? { cursor } : {}) });
    const page = await api.get<DirectoryView>(`/api/v1/nodes/${id}/browse?${query.toString()}`);
    if (page.error !== undefined) return refused(context, page.path, page.error);
    for (const entry of page.items) context.output.message('entry', entry);
    if (page.items.length > 0) context.output.text(table(cursor === undefined ? ['TYPE', 'SIZE', 'MODIFIED', 'OWNER', 'PATH'] : ['', '', '', '', ''], page.items.map(rowOf)));
    left -= page.items.length;
    cursor = page.nextCursor;
    if (left <= 0 && cursor !== undefined) context.output.note(`${page.total} names altogether; --limit shows more`);
  } while (cursor !== undefined && left > 0);
};

const discover = async (context: CommandContext, name: string): Promise<void> => {
  const api = await context.api();
  const { id } = await nodeOf(api, name);
  const { items, notes } = await api.get<DiscoveriesView>(`/api/v1/nodes/${id}/discoveries`);
  for (const item of items) context.output.message('discovery', item);
  const state = ({ running, container }: DiscoveryView): string => `${running ? 'running' : ''}${container ? ` in ${container.slice(0, 12)}` : ''}`;
  const places = ({ path, sockets, ports }: DiscoveryView): string => [path, ...sockets, ...ports].filter(Boolean).join(' ');
  context.output.text(table(['KIND', 'VERSION', 'STATE', 'SIZE', 'WHERE', 'FOUND BY'], items.map((one) => [
    one.kind, one.version ?? '', state(one), one.size === undefined ? '' : humanBytes(one.size), places(one), [...new Set(one.evidence.map(({ by }) => by))].join(', '),
  ])));
  for (const [code, some = []] of Object.entries(Object.groupBy(notes, (note) => note.code))) {
    for (const { detail } of some.slice(0, mostNotes)) context.output.remark(code, detail);
    if (some.length > mostNotes) context.output.remark(code, `and ${some.length - mostNotes} more like that`);
  }
};

/** `holdfast nodes browse` and `nodes discover`. */
export const registerNodesLook = (nodes: Command, context: CommandContext): void => {
  withExamples(nodes.command('browse <node> [path]').description('a directory of the host, as its agent sees it now'), 'nodes browse web-1 /srv')
    .option('--limit <names>', 'at most so many')
    .action((name: string, path: string | undefined, flags: { readonly limit?: string }) => browse(context, name, path ?? '/', flags));
  withExamples(nodes.command('discover <node>').description('databases and the like on the host, and how each was found'), 'nodes discover web-1').action((name: string) => discover(context, name));
};
