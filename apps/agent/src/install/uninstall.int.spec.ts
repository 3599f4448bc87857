import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uninstallCommand } from './uninstall.ts';

describe('uninstalling an agent', () => {
  let room: string;
  let root: string;
  const path = process.env['PATH'];
  const files = [
    'usr/local/bin/holdfast-agent', 'etc/holdfast/agent.env', 'etc/holdfast/ca.pem', 'etc/systemd/system/holdfast-agent.service',
    'etc/systemd/system/holdfast-agent.service.d/restore.conf', 'var/lib/holdfast-agent/node.json',
  ];
  const put = (file: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), 'x');
  };
  const program = (name: string, code: number): void =>
    writeFileSync(join(room, 'bin', name), `#!/bin/sh\necho "${name} $*" >>${room}/calls\nexit ${code}\n`, { mode: 0o755 });
  const there = (): string[] => files.filter((file) => existsSync(join(root, file)));
  const calls = (): string => readFileSync(join(room, 'calls'), 'utf8');

  beforeEach(() => {
    room = mkdtempSync(join(tmpdir(), 'holdfast-uninstall-'));
    root = join(room, 'host');
    mkdirSync(join(room, 'bin'));
    for (const name of ['systemctl', 'userdel', 'docker']) program(name, 0);
    process.env['PATH'] = `${join(room, 'bin')}:/usr/bin:/bin`;
    for (const file of [...files, 'etc/systemd/system/other.service']) put(file);
  });
  afterEach(() => {
    process.env['PATH'] = path;
    rmSync(room, { recursive: true, force: true });
  });

  it('stops the service and takes away everything that was installed, and nothing else', () => {
    expect(uninstallCommand(['--root', root])).toContain('uninstalled');
    expect(there()).toEqual([]);
    expect(existsSync(join(root, 'etc/holdfast'))).toBe(false);
    expect(existsSync(join(root, 'etc/systemd/system/other.service'))).toBe(true);
    expect(calls()).toBe('systemctl disable --now holdfast-agent.service\nsystemctl daemon-reload\nuserdel holdfast-agent\n');
  });
  it('keeps the keys and their user when asked to', () => {
    uninstallCommand(['--root', root, '--keep-state']);
    expect(there()).toEqual(['var/lib/holdfast-agent/node.json']);
    expect(calls()).not.toContain('userdel');
  });
  it('stops a container', () => {
    rmSync(join(root, 'etc/systemd'), { recursive: true });
    put('etc/holdfast/docker-compose.yml');
    uninstallCommand(['--root', root]);
    expect(calls()).toBe(`docker compose -f ${join(root, 'etc/holdfast/docker-compose.yml')} down\n`);
    expect(there()).toEqual([]);
  });
  it('removes nothing while the service still runs', () => {
    program('systemctl', 1);
    expect(() => uninstallCommand(['--root', root])).toThrow(expect.objectContaining({ code: 'service-not-stopped' }));
    expect(there()).toEqual(files);
  });
  it('takes everything away where systemd does not run: nothing is to be stopped there', () => {
    writeFileSync(join(room, 'bin', 'systemctl'), '#!/bin/sh\ncase "$*" in is-system-running) echo offline; exit 1 ;; *--now*) exit 1 ;; esac\n', { mode: 0o755 });
    expect(uninstallCommand(['--root', root])).toContain('uninstalled');
    expect(there()).toEqual([]);
  });
  it('does nothing for arguments it does not know', () => {
    expect(() => uninstallCommand(['--all'])).toThrow(expect.objectContaining({ code: 'invalid-arguments' }));
  });
});
