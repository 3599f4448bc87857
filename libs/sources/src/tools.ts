import { accessSync, constants } from 'node:fs';

/** Where the system's own programs are; the environment's PATH is not asked, as this code may run as root. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** Environment for the programs we run: messages in English, nothing of ours inherited. */
export const toolEnvironment: Readonly<Record<string, string>> = { LC_ALL: 'C', PATH: folders.join(':') };

/** Milliseconds after which a program that reads or writes a batch is killed. */
export const toolTimeoutMs = 120_000;

/** Absolute path of a system program, or undefined where the machine does not have it. */
export const findTool = (name: string): string | undefined =>
  folders.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
