import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';
import { secondsOf } from './length-of-time.ts';

interface CredentialView {
  readonly publicKey: string;
  readonly status: string;
  readonly firstIssuedAt: string;
  readonly expiresAt: string;
  readonly rotation?: string;
  /** Absent when its agent has answered. */
  readonly rotationRequestedAt?: string;
  readonly graceUntil?: string;
  readonly revokedAt?: string;
  readonly reason?: string;
}

interface RotateFlags {
  readonly grace?: string;
  readonly link?: boolean;
  readonly cancel?: boolean;
  readonly life: string;
  readonly mode: string;
}

interface RotateAnswer {
  readonly by: 'agent' | 'link';
  readonly rotation?: string;
  readonly graceSeconds?: number;
  readonly link?: { readonly token: string; readonly expiresAt: string; readonly command: string };
}

const nodeOf = async (context: CommandContext, name: string) => {
  const api = await context.api();
  return { api, node: findOne(await api.all<{ readonly id: string; readonly name: string }>('/api/v1/nodes'), name, 'node') };
};

const told = (name: string, { by, rotation, graceSeconds, link }: RotateAnswer): string =>
  by === 'agent' || !link
    ? `${name}: its agent makes a new key (${rotation}); the old one works for ${graceSeconds} s after that. See: holdfast nodes credentials ${name}`
    : `${name} by a link: every key it has now ends when the link is used\ntoken ${link.token} (once, until ${link.expiresAt})\non the host, as root:\n${link.command}`;

const rotate = async (context: CommandContext, name: string, { grace, link, life, mode, cancel }: RotateFlags): Promise<void> => {
  const graceSeconds = grace === undefined ? {} : { graceSeconds: secondsOf(grace) };
  const { api, node } = await nodeOf(context, name);
  if (cancel) {
    await api.post(`/api/v1/nodes/${node.id}/credential:cancel-rotation`);
    return context.output.result('node', { id: node.id, changed: 'cancel-rotation' }, `${node.name}: its agent is no longer asked for a new key; the one that it has stays`);
  }
  const answer = await api.post<RotateAnswer>(`/api/v1/nodes/${node.id}/credential:rotate`, { ...graceSeconds, ...(link ? { byLink: true } : {}), life, mode });
  context.output.result('rotation', { ...answer, node: node.id }, told(node.name, answer));
};

const stateOf = ({ status, rotation, rotationRequestedAt }: CredentialView): string => {
  if (rotation === undefined) return status;
  return `${status}, ${rotationRequestedAt === undefined ? 'not taken up yet' : `new one asked for ${rotationRequestedAt}`}`;
};

const showCredentials = async (context: CommandContext, name: string): Promise<void> => {
  const { api, node } = await nodeOf(context, name);
  const { items } = await api.get<{ readonly items: readonly CredentialView[] }>(`/api/v1/nodes/${node.id}/credentials`);
  for (const item of items) context.output.message('credential', item);
  const rows = items.map((item) => [item.publicKey, stateOf(item), item.firstIssuedAt, item.expiresAt, item.graceUntil ?? '', item.revokedAt ?? '', item.reason ?? '']);
  context.output.text(table(['KEY', 'STATUS', 'SINCE', 'EXPIRES', 'GRACE UNTIL', 'REVOKED', 'REASON'], rows));
};

/** `holdfast nodes rotate`, `revoke` and `credentials`. */
export const registerNodeCredentials = (nodes: Command, context: CommandContext): void => {
  withExamples(nodes.command('rotate <node>').description('give the node a new key: by its agent when it is online, else by a one-time link for the same node'),
    'nodes rotate web-1 --grace 1h', 'nodes rotate web-1 --link', 'nodes rotate web-1 --cancel')
    .option('--grace <time>', 'how long the old key goes on working, such as 90s, 24h (default: the master\'s, a day)')
    .option('--link', 'by a link, although the node is online')
    .option('--cancel', 'no longer ask its agent, which has not answered; its key stays')
    .option('--life <life>', 'of the link: 5m, 15m, 1h or 24h', '15m')
    .option('--mode <mode>', 'how the link installs the agent: systemd, docker or foreground', 'systemd')
    .action((name: string, flags: RotateFlags) => rotate(context, name, flags));
  withExamples(nodes.command('revoke <node>').description('cut the node off the bus at once, for good; it needs a new link to come back'), 'nodes revoke web-1 --reason "laptop stolen"')
    .option('--reason <text>', 'shown in the audit log')
    .action(async (name: string, { reason }: { readonly reason?: string }) => {
      const { api, node } = await nodeOf(context, name);
      await api.post(`/api/v1/nodes/${node.id}/credential:revoke`, reason === undefined ? {} : { reason });
      context.output.result('node', { id: node.id, changed: 'revoke' }, `${node.name}: revoked`);
    });
  withExamples(nodes.command('credentials <node>').description('every key that the node has and had'), 'nodes credentials web-1')
    .action((name: string) => showCredentials(context, name));
};
