import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type OperatorAccount, initKeys, loadKeys, natsConf, operatorCredential } from '#identity';
import { fault } from '#kernel';
import type { CommandContext } from '../context.ts';

interface NatsConfFlags {
  readonly listen: string;
  readonly monitor: string;
  readonly data: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly clusterListen: string;
  readonly route?: readonly string[];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

const printNatsConf = async (context: CommandContext, folder: string, flags: NatsConfFlags): Promise<void> => {
  const text = natsConf(await loadKeys(resolve(folder)), {
    listen: flags.listen, monitor: flags.monitor, dataDir: flags.data, now: context.clock.now(),
    ...(flags.name ? { serverName: flags.name } : {}),
    ...(flags.cluster ? { cluster: { name: flags.cluster, listen: flags.clusterListen, routes: flags.route ?? [] } } : {}),
    ...(flags.tlsCert && flags.tlsKey ? { tls: { certFile: flags.tlsCert, keyFile: flags.tlsKey } } : {}),
  });
  context.output.result('nats-conf', { text }, text.trimEnd());
};

interface CredentialFlags {
  readonly account: OperatorAccount;
  readonly hours: string;
  readonly all?: boolean;
}

/** Secret, so only to standard output: what to do with it is the operator's to say. */
const printCredential = async (context: CommandContext, folder: string, flags: CredentialFlags): Promise<void> => {
  const hours = Number(flags.hours);
  if (!(hours > 0 && hours <= 720)) throw fault('validation', 'invalid-arguments', '--hours must be a number up to 720');
  const text = operatorCredential(await loadKeys(resolve(folder)), { account: flags.account, hours, all: flags.all ?? false, now: context.clock.now() });
  context.output.result('credential', { text }, text.trimEnd());
};

/** Public material only: what the operator of existing NATS servers puts into their configuration. */
const printForOperator = async (context: CommandContext, folder: string): Promise<void> => {
  const keys = await loadKeys(resolve(folder));
  const facts = {
    operator: keys.operatorJwt,
    system_account: keys.system.publicKey,
    control_account: keys.control.publicKey,
    agents_account: keys.agents.publicKey,
  };
  context.output.result('keys', facts, Object.entries(facts).map(([name, value]) => `${name}: ${value}`).join('\n'));
};

/** `holdfast keys ...`: the folder that every master of an installation reads. */
export const registerKeys = (program: Command, context: CommandContext): void => {
  const keys = program.command('keys').description('the keys of the installation');
  keys.command('init <folder>').description('make all keys in a new folder, or check those that are there')
    .option('--print', 'print what the operator of existing NATS servers needs')
    .action(async (folder: string, flags: { readonly print?: boolean }) => {
      await initKeys(resolve(folder), context.clock);
      if (flags.print) return printForOperator(context, folder);
      return context.output.result('keys', { folder: resolve(folder) }, `${resolve(folder)} holds the keys; keep a copy of it in the recovery kit`);
    });
  keys.command('nats-conf <folder>').description('print the configuration of a nats-server')
    .option('--listen <host:port>', 'for clients', '0.0.0.0:4222')
    .option('--monitor <host:port>', 'for monitoring pages', '127.0.0.1:8222')
    .option('--data <folder>', 'streams and account tokens', '/data')
    .option('--name <name>', 'of the server, unique in its cluster')
    .option('--cluster <name>', 'make it a member of a cluster')
    .option('--cluster-listen <host:port>', 'for the other members', '0.0.0.0:6222')
    .option('--route <url...>', 'nats-route://host:port of each member')
    .option('--tls-cert <file>', 'certificate for clients')
    .option('--tls-key <file>', 'its key')
    .action((folder: string, flags: NatsConfFlags) => printNatsConf(context, folder, flags));
  keys.command('credential <folder>').description('print a credentials file with which a person may look into NATS: nats --creds FILE ...')
    .addOption(new Option('--account <account>', 'control: streams and messages; system: servers').choices(['control', 'system']).default('control'))
    .option('--hours <n>', 'how long it is valid', '8')
    .option('--all', 'not only look: everything that the account may')
    .action((folder: string, flags: CredentialFlags) => printCredential(context, folder, flags));
};
