import { ensureWriterIdentity, generateIdentity, initRepository } from '#repository';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { openStore } from './open-store.ts';
import { stateDirectory, writeSettings } from './writer-state.ts';

interface InitOptions {
  readonly repository: string;
  readonly recipient: string[];
  readonly catalogRecipient: string[];
  readonly state?: string;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

const keygen = async (context: CommandContext): Promise<void> => {
  const { identity, recipient } = await generateIdentity();
  context.output.result('identity', { identity, recipient }, `# recipient: ${recipient}\n${identity}`);
};

const init = async (context: CommandContext, options: InitOptions): Promise<void> => {
  const stateDir = stateDirectory(context, options.repository, options.state);
  const identity = await ensureWriterIdentity(stateDir);
  const recipients = { dataRecipients: options.recipient, catalogRecipients: options.catalogRecipient };
  const repository = await initRepository(openStore(options.repository), identity, recipients);
  writeSettings(stateDir, recipients);
  context.output.result('initialized', { repository: repository.repository, state: stateDir, recipients: options.recipient },
    `Repository ${repository.repository} is ready. Its writer's state is in ${stateDir}.`);
};


/** `repo keygen`, `repo init`. */
export const registerCreate = (repo: Command, context: CommandContext): void => {
  repo.command('keygen').description('make an age identity (keep it offline) and print it').action(() => keygen(context));
  repo.command('init').description('make a repository and the state of its writer')
    .requiredOption('--repository <place>', 'a folder, or s3://bucket/prefix')
    .requiredOption('--recipient <age1...>', 'who may read all of it; may be given several times', collect, [])
    .option('--catalog-recipient <age1...>', 'who may prune it without reading it; may be given several times', collect, [])
    .option('--state <dir>', 'where the writer keeps its id key and caches')
    .action((options: InitOptions) => init(context, options));
};
