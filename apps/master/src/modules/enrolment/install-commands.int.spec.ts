import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { installCommands } from './install-commands.ts';

const room = mkdtempSync(join(tmpdir(), 'holdfast-commands-'));
const bin = join(room, 'bin');
const { command, checkedCommand } = installCommands('https://backup.example.com', 'hfe_token', { mode: 'systemd', arch: 'auto', version: 'current' });

/** Runs a command with a `curl` that brings this, or fails as `curl -f` does. */
const run = (typed: string, brought: string | undefined) => {
  writeFileSync(join(room, 'brought'), brought ?? '');
  writeFileSync(join(bin, 'curl'), `#!/bin/sh
${brought === undefined ? 'echo "curl: (22) 502" >&2; exit 22' : ''}
while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done
if [ -n "$out" ]; then cat ${room}/brought >"$out"; else cat ${room}/brought; fi
`, { mode: 0o755 });
  return spawnSync('sh', ['-c', typed], { encoding: 'utf8', env: { PATH: `${bin}:/usr/bin:/bin`, TMPDIR: join(room, 'tmp') } });
};

describe('the command that installs an agent', () => {
  beforeEach(() => {
    for (const folder of ['bin', 'tmp']) mkdirSync(join(room, folder), { recursive: true });
  });
  afterAll(() => rmSync(room, { recursive: true, force: true }));

  it('is one line', () => {
    expect(command).toBe('curl -fsSL https://backup.example.com/install/hfe_token | sh');
    expect(installCommands('https://m', 't', { mode: 'docker', arch: 'auto', version: 'current', proxy: 'http://proxy:3128', ca: 'PEM' }).command)
      .toBe('curl -fsSL --cacert ca.pem --proxy http://proxy:3128 https://m/install/t | sh');
  });
  it('runs the script, and ends as that ends', () => {
    for (const typed of [command, checkedCommand]) {
      expect(run(typed, '#!/bin/sh\n# holdfast-install v1\necho installed; exit 3\n')).toMatchObject({ status: 3, stdout: 'installed\n', stderr: '' });
    }
  });
  it('runs no page that a proxy put in place of the script: not zero, and with more words in the checked form', () => {
    const page = '<!DOCTYPE html>\n<html><body>Log in; touch x</body></html>\n';
    expect(run(command, page).status).not.toBe(0);
    expect(run(checkedCommand, page)).toMatchObject({ status: 1, stderr: expect.stringContaining('not the install script') as string });
  });
  it('fails in the checked form when nothing comes, and leaves no file behind', () => {
    expect(run(checkedCommand, undefined).status).not.toBe(0);
    expect(spawnSync('find', [join(room, 'tmp'), '-type', 'f'], { encoding: 'utf8' }).stdout).toBe('');
  });
});
