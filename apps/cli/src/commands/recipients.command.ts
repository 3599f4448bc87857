import { type Command, Option } from 'commander';
import { fault } from '#kernel';
import type { CommandContext } from '../context.ts';
import { table } from '../format.ts';

interface RecipientView {
  readonly class: 'data' | 'catalog';
  readonly recipient: string;
}

const path = '/api/v1/recipients';

const add = async (context: CommandContext, recipient: string, flags: { readonly class: RecipientView['class'] }): Promise<void> => {
  // It must not even travel: whoever has it reads every backup.
  if (!recipient.startsWith('age1')) {
    throw fault('validation', 'invalid-recipient', 'Give the public key, which begins with age1; the identity (AGE-SECRET-KEY-...) stays offline and is given to nobody');
  }
  const added = await (await context.api()).post<RecipientView>(path, { class: flags.class, recipient });
  context.output.result('recipient', added, `${added.recipient} (${added.class}): keys of new snapshots are wrapped to it from now on, those of earlier ones within a minute`);
};

/** `holdfast recipients ...`: who may read backups beside the masters, when they are gone. */
export const registerRecipients = (program: Command, context: CommandContext): void => {
  const recipients = program.command('recipients').description('who may recover backups beside the masters: keys that lie offline');
  recipients.command('ls').description('all recovery recipients').action(async () => {
    const { items } = await (await context.api()).get<{ readonly items: readonly RecipientView[] }>(path);
    for (const item of items) context.output.message('recipient', item);
    context.output.text(items.length === 0
      ? 'There is no recovery recipient: without the keys folder of the masters nobody can read the backups.'
      : table(['CLASS', 'RECIPIENT'], items.map((item) => [item.class, item.recipient])));
  });
  recipients.command('add <recipient>').description('add the public key (age1...) of an identity that lies offline; holdfast repo keygen makes one')
    .addOption(new Option('--class <class>', 'data: may read everything; catalog: may only prune').choices(['data', 'catalog']).default('data'))
    .action((recipient: string, flags: { readonly class: RecipientView['class'] }) => add(context, recipient, flags));
};
