import type { Command } from 'commander';
import type { ApiClient } from '../api-client.ts';
import type { CommandContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';
import { withExamples } from './help.ts';
import { registerNodeCredentials } from './nodes-credentials.command.ts';
import { type NodeView, presenceText } from './node-text.ts';
import { registerEnrolment } from './nodes-enrol.command.ts';
import { registerLifecycle } from './nodes-lifecycle.command.ts';
import { registerNodesLook } from './nodes-look.command.ts';

interface TargetView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly addedAt: string;
  readonly s3?: { readonly endpoint?: string; readonly region: string; readonly bucket: string; readonly prefix: string; readonly accessKeyId: string };
  readonly test?: { readonly passed: boolean; readonly access: 'direct' | 'relay'; readonly testedAt?: string };
}

interface ListFlags {
  readonly label?: string;
  readonly presence?: string;
  readonly drained?: boolean;
  readonly disabled?: boolean;
}

const registerNodes = (program: Command, context: CommandContext): void => {
  const nodes = program.command('nodes').description('protected hosts');
  const list = withExamples(nodes.command('ls').description('all nodes, or those that all of the flags say'), 'nodes ls', 'nodes ls --label site=vienna --presence offline')
    .option('--label <key=value>', 'only those with this label').option('--presence <presence>', 'only those that are online, suspect, offline or never')
    .option('--drained', 'only those that are drained').option('--disabled', 'only those out of service');
  list.action(async ({ label, presence, drained, disabled }: ListFlags) => {
    const query = new URLSearchParams({
      ...(label ? { label } : {}), ...(presence ? { presence } : {}), ...(drained ? { drained: 'true' } : {}), ...(disabled ? { disabled: 'true' } : {}),
    }).toString();
    const items = await (await context.api()).all<NodeView>(query ? `/api/v1/nodes?${query}` : '/api/v1/nodes');
    for (const item of items) context.output.message('node', item);
    const rows = items.map((node) => [node.id, node.name, presenceText(node), String(node.slots), node.version ?? '', node.lastSeenAt ?? '']);
    context.output.text(table(['ID', 'NAME', 'PRESENCE', 'SLOTS', 'VERSION', 'LAST SEEN'], rows));
  });
  registerLifecycle(nodes, context);
  registerEnrolment(nodes, context);
  registerNodesLook(nodes, context);
  registerNodeCredentials(nodes, context);
};

const wayOf = (access: 'direct' | 'relay'): string => (access === 'direct' ? 'straight to it' : 'through the masters');

const targetText = ({ id, name, kind, addedAt, s3, test }: TargetView): string => {
  const tested = test && `${test.passed ? 'passed' : 'FAILED'}${test.testedAt ? ` at ${test.testedAt}` : ''}; agents write ${wayOf(test.access)}`;
  const rows: (readonly [string, string | undefined])[] = [
    ['id', id], ['name', name], ['kind', kind], ['endpoint', s3 && (s3.endpoint ?? 'AWS')], ['bucket', s3?.bucket], ['folder', s3?.prefix], ['region', s3?.region],
    ['access key', s3?.accessKeyId], ['tested', tested ?? 'not yet'], ['added', addedAt],
  ];
  return table(['', ''], rows.flatMap(([what, value]) => (value ? [[what, value]] : []))).trimStart();
};

interface TargetTest {
  readonly passed: boolean;
  readonly access: 'direct' | 'relay';
  readonly steps: readonly { readonly step: string; readonly passed: boolean; readonly detail?: string }[];
}

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

const targetOf = async (api: ApiClient, name: string): Promise<TargetView> => findOne(await api.all<TargetView>('/api/v1/targets'), name, 'target');

const registerTargets = (program: Command, context: CommandContext): void => {
  const targets = program.command('targets').description('places that store objects');
  targets.command('show <target>').description('one target, and how its last test went').action(async (name: string) => {
    const target = await targetOf(await context.api(), name);
    context.output.result('target', target, targetText(target));
  });
  targets.command('rm <target>').description('forget a target that no task uses; its objects stay where they are').action(async (name: string) => {
    const api = await context.api();
    const { id, name: known } = await targetOf(api, name);
    await api.delete(`/api/v1/targets/${id}`);
    context.output.result('target', { id, changed: 'remove' }, `${known}: removed`);
  });
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
    .addHelpText('after', '\nExample: HOLDFAST_S3_SECRET_FILE=secret holdfast targets add store --s3 https://s3.example.com --bucket backups --access-key holdfast')
    .action((name: string, flags: TargetFlags) => addTarget(context, name, flags));
  targets.command('test <target>').description('prove that the target keeps what it must keep').action(async (name: string) => {
    const api = await context.api();
    const target = await targetOf(api, name);
    const result = await api.post<TargetTest>(`/api/v1/targets/${target.id}:test`);
    const rows = result.steps.map(({ step, passed, detail }) => [step, passed ? 'passed' : 'FAILED', detail ?? '']);
    const words = result.passed ? `${target.name} can be used; agents write ${wayOf(result.access)}` : `${target.name} cannot be used yet`;
    context.output.result('target-test', result, `${table(['STEP', 'RESULT', 'WHY'], rows)}\n${words}`);
    if (!result.passed) context.onExitCode(exitCodes.failed);
  });
};

/** `holdfast nodes ...` and `holdfast targets ...`. */
export const registerFleet = (program: Command, context: CommandContext): void => {
  registerNodes(program, context);
  registerTargets(program, context);
};
