import { type Command, Option } from 'commander';
import { parseTime } from '#kernel';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';
import { findOne } from './find.ts';

interface KeyView {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly status: string;
  readonly createdAt: string;
  readonly expiresAt?: string;
}

const path = '/api/v1/api-keys';

const statusOf = ({ status, expiresAt }: KeyView, now: number): string => (expiresAt !== undefined && parseTime(expiresAt) <= now ? 'expired' : status);

/** `holdfast api-keys ...`: what programs log in with, and this command line from another machine. */
export const registerApiKeys = (program: Command, context: CommandContext): void => {
  const keys = program.command('api-keys').description('what programs log in with: HOLDFAST_TOKEN of this command line, Authorization: Bearer of the REST interface');
  keys.command('ls').description('all keys; their secrets were shown once').action(async () => {
    const items = await (await context.api()).all<KeyView>(path);
    for (const item of items) context.output.message('api-key', item);
    context.output.text(table(['ID', 'NAME', 'ROLE', 'STATUS', 'CREATED', 'EXPIRES'], items.map((key) => [key.id, key.name, key.role, statusOf(key, context.clock.now()), key.createdAt, key.expiresAt ?? ''])));
  });
  keys.command('add <name>').description('make a key and print its secret, this once')
    .addOption(new Option('--role <role>', 'viewer reads, operator changes, admin also manages users and keys').choices(['viewer', 'operator', 'admin']).default('viewer'))
    .option('--expires <time>', 'when it ends, such as 2027-01-31T00:00:00Z (default: when it is removed)')
    .addHelpText('after', '\nExample: holdfast api-keys add grafana --role viewer')
    .action(async (name: string, { role, expires }: { readonly role: string; readonly expires?: string }) => {
      const made = await (await context.api()).post<{ readonly id: string; readonly secret: string }>(path, { name, role, ...(expires === undefined ? {} : { expiresAt: expires }) });
      context.output.result('api-key', made, `${made.id}\n${made.secret}`);
    });
  keys.command('rm <key>').description('end a key at once').action(async (name: string) => {
    const api = await context.api();
    const key = findOne(await api.all<KeyView>(path), name, 'api-key');
    await api.delete(`${path}/${key.id}`);
    context.output.result('api-key', { id: key.id, changed: 'remove' }, `${key.name}: ended`);
  });
};
