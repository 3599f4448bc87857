import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchScript } from './batch-script.ts';
import type { InstallOptions } from './domain/enrolment.events.ts';

const shell = existsSync('/usr/bin/dash') ? '/usr/bin/dash' : '/bin/sh';
const nodes = [{ name: 'web-1', token: 'hfe_one' }, { name: 'web 2', token: 'hfe_two' }, { name: 'dürer.3', token: 'hfe_three' }];

describe('the script of a batch', () => {
  let room: string;
  const scriptOf = (install: Partial<InstallOptions> = {}): string =>
    batchScript({ master: 'https://m', nodes, expiresAt: '2026-01-01T00:15:00.000Z', install: { mode: 'systemd', arch: 'auto', version: 'current', ...install } });
  const run = (args: readonly string[], install: Partial<InstallOptions> = {}) => {
    writeFileSync(join(room, 'batch.sh'), scriptOf(install), { mode: 0o600 });
    const env = { PATH: `${join(room, 'bin')}:/usr/bin:/bin`, TMPDIR: join(room, 'tmp'), HOLDFAST_ROOT: join(room, 'host') };
    return spawnSync(shell, [join(room, 'batch.sh'), ...args], { encoding: 'utf8', env });
  };
  const program = (name: string, text: string): void => writeFileSync(join(room, 'bin', name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  const calls = (name: string): string[] => (existsSync(join(room, name)) ? readFileSync(join(room, name), 'utf8').trim().split('\n').sort() : []);

  beforeEach(() => {
    room = mkdtempSync(join(tmpdir(), 'holdfast-batch-'));
    for (const folder of ['bin', 'tmp']) mkdirSync(join(room, folder));
    // Brings what stands in `brought`; writes down its arguments and what it is told to fetch.
    program('curl', `echo "$*" >>${room}/curl-arguments; cat >>${room}/urls; while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done; cat ${room}/brought >"$out"\n`);
    // A host: runs what comes, as its own shell would.
    program('ssh', `echo "$*" >>${room}/ssh-arguments; while [ $# -gt 2 ]; do shift; done; [ "$1" != broken ] || { echo "no route to $1" >&2; exit 255; }; exec ${shell} -c "$2"\n`);
    writeFileSync(join(room, 'brought'), `#!/bin/sh\n# holdfast-install v1\necho installed >>${room}/installed\n`);
  });
  afterEach(() => rmSync(room, { recursive: true, force: true }));

  it('says in its first lines how it is used, and is a script of a POSIX shell', () => {
    expect(spawnSync(shell, ['-n'], { input: scriptOf(), encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const { status, stderr } = run([]);
    expect(status).toBe(2);
    for (const words of ['sh FILE ssh', 'ansible.builtin.command', 'until 2026-01-01T00:15:00.000Z']) expect(stderr).toContain(words);
    expect(stderr).not.toContain('hfe_');
  });
  it('lists its nodes, and prints what runs on one of them with the token of that one only', () => {
    expect(run(['list']).stdout).toBe('web-1\nweb 2\ndürer.3\n');
    const printed = run(['print', 'web 2']).stdout;
    expect(printed).toContain("url='https://m/install/hfe_two'");
    expect(printed).not.toMatch(/hfe_one|hfe_three/);
    expect(spawnSync(shell, ['-n'], { input: printed, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    expect(run(['print', 'web-9'])).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('there is no node "web-9"') as string });
  });
  it('installs on all of them over ssh, with no token among the arguments of any program', () => {
    expect(run(['ssh'])).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('all 3 nodes are online') as string });
    expect(calls('ssh-arguments')).toEqual(['-o BatchMode=yes dürer.3 sh -s', '-o BatchMode=yes web 2 sh -s', '-o BatchMode=yes web-1 sh -s']);
    expect(calls('urls')).toEqual(nodes.map(({ token }) => `url = "https://m/install/${token}"`).sort());
    expect(calls('curl-arguments').join()).not.toContain('hfe_');
    expect(calls('installed')).toHaveLength(3);
  });
  it('names those that failed, with what was said there, and ends with 1', () => {
    const { status, stdout, stderr } = run(['ssh', 'web-1', 'web 2=broken']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: 'holdfast: web-1 is online\n' });
    expect(stderr).toContain('holdfast: web 2 FAILED\n  no route to broken\n');
    expect(stderr).toContain('1 of 2 nodes failed');
    expect(run(['ssh', 'web-1=-oProxyCommand=x']).status).toBe(1);
  });
  it('runs no page that a proxy put in place of the install script', () => {
    writeFileSync(join(room, 'brought'), '<!DOCTYPE html><html>Log in</html>');
    expect(run(['here', 'web-1'])).toMatchObject({ status: 1, stderr: expect.stringContaining('a page of a proxy') as string });
    expect(spawnSync('find', [join(room, 'tmp'), '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
  });
  it('leaves nothing on the host when it is ended there', () => {
    writeFileSync(join(room, 'brought'), '#!/bin/sh\n# holdfast-install v1\nkill -TERM $PPID\n');
    expect(run(['here', 'web-1']).status).toBe(130);
    expect(readdirSync(join(room, 'tmp'))).toEqual([]);
  });
  it('takes proxy and authority of its links with it', () => {
    expect(run(['here', 'web-1'], { proxy: 'socks5h://bastion:1080', ca: '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----' })).toMatchObject({ status: 0, stderr: '' });
    expect(calls('curl-arguments')[0]).toMatch(/--cacert \S+\/ca.pem --proxy socks5h:\/\/bastion:1080 -K -/);
  });
  it('refuses to wait for agents in the foreground', () => {
    expect(run(['ssh'], { mode: 'foreground' })).toMatchObject({ status: 1, stderr: expect.stringContaining('print or here') as string });
  });
});
