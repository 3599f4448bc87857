import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';
import { registerNodeCredentials } from './nodes-credentials.command.ts';
import { type NodeView, presenceText } from './node-text.ts';
import { registerLifecycle } from './nodes-lifecycle.command.ts';
import { registerNodesLook } from './nodes-look.command.ts';

interface TargetView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
}

interface AddNodeFlags {
  readonly life: string;
  readonly mode: string;
  readonly arch: string;
  readonly agentVersion?: string;
  readonly masterUrl?: string;
  readonly proxy?: string;
  readonly restores?: boolean;
}

const registerNodes = (program: Command, context: CommandContext): void => {
  const nodes = program.command('nodes').description('protected hosts');
  nodes.command('ls').description('all nodes').action(async () => {
    const items = await (await context.api()).all<NodeView>('/api/v1/nodes');
    for (const item of items) context.output.message('node', item);
    const rows = items.map((node) => [node.id, node.name, presenceText(node), String(node.slots), node.version ?? '', node.lastSeenAt ?? '']);
    context.output.text(table(['ID', 'NAME', 'PRESENCE', 'SLOTS', 'VERSION', 'LAST SEEN'], rows));
  });
  registerLifecycle(nodes, context);
  nodes.command('add <name>').description('add a node and print the one-time command that installs its agent')
    .option('--life <life>', 'of the token: 5m, 15m, 1h or 24h', '15m')
    .option('--mode <mode>', 'how the agent is installed: systemd, docker or foreground', 'systemd')
    .option('--arch <arch>', 'of the host: auto, amd64 or arm64', 'auto')
    .option('--agent-version <version>', 'default: the master\'s')
    .option('--master-url <url>', 'how the host reaches a master, when not by the public URL')
    .option('--proxy <url>', 'HTTP proxy of the host for what goes to the master')
    .option('--restores', 'the agent may write anywhere on the host, to restore to where files came from')
    .action(async (name: string, { agentVersion, ...flags }: AddNodeFlags) => {
      const api = await context.api();
      const node = await api.post<NodeView>('/api/v1/nodes', { name });
      const link = await api.post<{ readonly token: string; readonly expiresAt: string; readonly command: string }>('/api/v1/enrolment-links', {
        node: node.id, ...flags, ...(agentVersion ? { version: agentVersion } : {}),
      });
      context.output.result('enrolment-link', { ...link, node: node.id }, `${node.id}\ntoken ${link.token} (once, until ${link.expiresAt})\non the host, as root:\n${link.command}`);
    });
  registerNodesLook(nodes, context);
  registerNodeCredentials(nodes, context);
};

interface TargetFlags {
  readonly s3?: string;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly region?: string;
  readonly accessKey?: string;
}

const addTarget = async (context: CommandContext, name: string, flags: TargetFlags): Promise<void> => {
  const s3 = {
    bucket: flags.bucket, accessKeyId: flags.accessKey, endpoint: flags.s3, prefix: flags.prefix, region: flags.region,
    secretAccessKey: context.setting('HOLDFAST_S3_SECRET'),
  };
  const target = await (await context.api()).post<TargetView>('/api/v1/targets', flags.bucket ? { name, kind: 's3', s3 } : { name, kind: 'builtin' });
  context.output.result('target', target, target.id);
};

const registerTargets = (program: Command, context: CommandContext): void => {
  const targets = program.command('targets').description('places that store objects');
  targets.command('ls').description('all targets').action(async () => {
    const items = await (await context.api()).all<TargetView>('/api/v1/targets');
    for (const item of items) context.output.message('target', item);
    context.output.text(table(['ID', 'NAME', 'KIND'], items.map((target) => [target.id, target.name, target.kind])));
  });
  targets.command('add <name>').description('add a target: the master\'s own disk, or with --bucket an S3 bucket; the secret key is read from HOLDFAST_S3_SECRET or _FILE')
    .option('--s3 <endpoint>', 'https://host[:port] (default: AWS)')
    .option('--bucket <bucket>', 'of the S3 target')
    .option('--prefix <prefix>', 'folder in the bucket, ends with a slash')
    .option('--region <region>', 'of the bucket')
    .option('--access-key <id>', 'access key id')
    .action((name: string, flags: TargetFlags) => addTarget(context, name, flags));
  targets.command('test <target>').description('prove that the target keeps what it must keep').action(async (name: string) => {
    const api = await context.api();
    const target = findOne(await api.all<TargetView>('/api/v1/targets'), name, 'target');
    const result = await api.post<object>(`/api/v1/targets/${target.id}:test`);
    context.output.result('target-test', result, JSON.stringify(result, undefined, 2));
  });
};

/** `holdfast nodes ...` and `holdfast targets ...`. */
export const registerFleet = (program: Command, context: CommandContext): void => {
  registerNodes(program, context);
  registerTargets(program, context);
};
