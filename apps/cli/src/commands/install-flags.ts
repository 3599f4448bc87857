import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { fault } from '#kernel';

/** How an agent gets onto its host, as it is typed. */
export interface InstallFlags {
  readonly life: string;
  readonly mode: string;
  readonly arch: string;
  readonly agentVersion?: string;
  readonly masterUrl?: string;
  readonly proxy?: string;
  readonly ca?: string;
  readonly restores?: boolean;
}

/** Adds the flags that every command has which makes links. */
export const withInstallFlags = (command: Command): Command =>
  command
    .option('--life <life>', 'of the token: 5m, 15m, 1h or 24h', '15m')
    .option('--mode <mode>', 'how the agent is installed: systemd, docker or foreground', 'systemd')
    .option('--arch <arch>', 'of the host: auto, amd64 or arm64', 'auto')
    .option('--agent-version <version>', 'default: the master\'s')
    .option('--master-url <url>', 'how the host reaches a master, when not by the public URL')
    .option('--proxy <url>', 'http, https, socks5 or socks5h proxy of the host for all that goes to masters and targets')
    .option('--ca <file>', 'PEM of the authority of the master\'s certificate, when it is not a public one')
    .option('--restores', 'the agent may write anywhere on the host, to restore to where files came from');

const pemOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw fault('validation', 'file-unreadable', `${file} cannot be read; correct the path of --ca`, { cause });
  }
};

/** The flags as the interface takes them. */
export const installBody = ({ agentVersion, ca, life, mode, arch, masterUrl, proxy, restores }: InstallFlags): Record<string, unknown> => ({
  life, mode, arch, ...(masterUrl ? { masterUrl } : {}), ...(proxy ? { proxy } : {}), ...(restores ? { restores } : {}),
  ...(agentVersion ? { version: agentVersion } : {}), ...(ca ? { ca: pemOf(ca) } : {}),
});
