import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { fault } from '#kernel';
import { parseFlags } from '../verbs/arguments.ts';

const unit = 'holdfast-agent.service';

/** Runs a program of the system if it is there; what it says goes nowhere, because each of them may have nothing to do. */
const attempt = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 }).status === 0;

const stopContainer = (compose: string): void => {
  if (existsSync(compose) && !attempt('docker', ['compose', '-f', compose, 'down'])) {
    throw fault('unavailable', 'container-not-stopped', `docker could not stop the agent of ${compose}; see "docker compose -f ${compose} down", then try again. Nothing was removed`);
  }
};

/** Systemd's program is there, and it runs nothing: in a chroot, a container, under another init. */
const isSystemdAway = (): boolean => spawnSync('systemctl', ['is-system-running'], { encoding: 'utf8', timeout: 60_000 }).stdout?.trim() === 'offline';

const stopService = (file: string): void => {
  if (!existsSync(file) || attempt('systemctl', ['disable', '--now', unit])) return;
  if (!isSystemdAway() || !attempt('systemctl', ['disable', unit])) {
    throw fault('unavailable', 'service-not-stopped', `systemctl could not stop ${unit}; see "systemctl status ${unit}", then try again. Nothing was removed`);
  }
};

const removeEmpty = (folder: string): void => {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody else keeps files there, or it is gone.
  }
};

/**
 * `holdfast-agent uninstall`: takes away what the install script put on this host, in each of its modes; its node stays known to the
 * masters. With `--keep-state` the keys and caches stay for a later installation, and the user that owns them. Needs root. Throws
 * `needs-root`, `service-not-stopped` or `container-not-stopped`. Resolves with the line to print.
 */
export const uninstallCommand = (args: readonly string[]): string => {
  const { root, 'keep-state': keepState } = parseFlags('uninstall', args, { 'keep-state': { type: 'boolean', default: false }, root: { type: 'string', default: '/' } });
  const at = (path: string): string => join(root, path);
  if (root === '/' && process.getuid?.() !== 0) throw fault('forbidden', 'needs-root', 'Only root can uninstall the agent; try again with sudo');
  const [service, compose] = [at(`etc/systemd/system/${unit}`), at('etc/holdfast/docker-compose.yml')];
  stopService(service);
  stopContainer(compose);
  const hadService = existsSync(service);
  for (const file of [service, compose, at('etc/holdfast/agent.env'), at('etc/holdfast/ca.pem'), at('usr/local/bin/holdfast-agent')]) rmSync(file, { force: true });
  rmSync(`${service}.d`, { recursive: true, force: true });
  removeEmpty(at('etc/holdfast'));
  if (hadService) attempt('systemctl', ['daemon-reload']);
  if (keepState) return 'The agent is uninstalled; its keys stay in /var/lib/holdfast-agent';
  rmSync(at('var/lib/holdfast-agent'), { recursive: true, force: true });
  if (hadService) attempt('userdel', ['holdfast-agent']);
  return 'The agent is uninstalled, its keys and caches are gone; remove its node on the master when it is not to come back';
};
