import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { tempDir } from '#testing';
import { runCommandLine } from '../command-line.ts';

let dir: string;
let out = '';
let err = '';
const at = (name: string): string => join(dir, name);

/** Runs with `@name` standing for a path in the test's folder. */
const run = (line: string): Promise<number> => runCommandLine(['--json', ...line.split(' ').map((word) => word.replace(/@([\w./-]+)/, (_, name: string) => at(name)))]);

beforeEach(() => {
  [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => { out += String(text); return true; });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => { err += String(text); return true; });
});
afterEach(() => { vi.restoreAllMocks(); });

beforeAll(async () => {
  dir = await tempDir('wrong-input');
  await mkdir(at('src'));
  await writeFile(at('src/file'), 'x');
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => { out += String(text); return true; });
  const key = async (name: string): Promise<string> => {
    out = '';
    await run('repo keygen');
    const { identity, recipient } = JSON.parse(out) as { identity: string; recipient: string };
    await writeFile(at(name), `${identity}\n`);
    return recipient;
  };
  const recipient = await key('id.key');
  await key('other.key');
  for (const name of ['empty', 'full']) expect(await run(`repo init --repository @${name} --state @state-${name} --recipient ${recipient}`)).toBe(0);
  await cp(at('state-full'), at('state-damaged'), { recursive: true });
  await writeFile(at('state-damaged/recipients.json'), '{\n');
  for (let i = 0; i < 2; i++) expect(await run('repo backup --repository @full --state @state-full @src')).toBe(0);
});

it.each([
  ['repo init --repository @new --state @s --recipient nonsense', 2, 'recipient-malformed'],
  ['repo init --repository @new --state @s', 2, 'recipient-missing'],
  ['repo init --repository @full --state @state-empty --recipient age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg', 5, 'repository-foreign'],
  ['repo backup --repository @nowhere --state @s @src', 4, 'repository-not-initialized'],
  ['repo backup --repository @nowhere --state @state-full @src', 4, 'repository-not-found'],
  ['repo backup --repository @full --state @state-damaged @src', 5, 'writer-state-damaged'],
  ['repo backup --repository @full --state @state-full @not/there', 4, 'source-missing'],
  ['repo snapshots --repository @nowhere', 4, 'repository-not-found'],
  ['repo verify --repository @nowhere --level 1', 4, 'repository-not-found'],
  ['repo verify --repository @full --level 3', 2, 'identity-missing'],
  ['repo verify --repository @full --level 3 --identity @other.key', 5, 'key-not-available'],
  ['repo prune --repository @nowhere --keep-last 1 --identity @id.key', 4, 'repository-not-found'],
  ['repo prune --repository @full --keep-last 1 --identity @other.key', 5, 'key-not-available'],
  ['repo prune --repository @full --keep-last 0 --identity @id.key', 2, 'invalid-arguments'],
  ['repo ls latest --repository @empty --identity @id.key', 4, 'snapshot-not-found'],
  ['repo ls latest:not/there --repository @full --identity @id.key', 4, 'path-not-found'],
  ['repo ls snap --repository @full --identity @id.key', 2, 'snapshot-ambiguous'],
  ['repo ls latest --repository @full --identity @missing', 2, 'identity-unreadable'],
  ['repo ls latest --repository @full --identity @src/file', 2, 'identity-malformed'],
  ['repo restore latest --repository @full --identity @other.key --to @out', 5, 'key-not-available'],
  ['repo restore latest --repository @full --identity @id.key --to @src/file', 2, 'restore-destination-invalid'],
  ['repo restore latest:../x --repository @full --identity @id.key --to @out', 2, 'selection-malformed'],
  ['repo restore :etc --repository @full --identity @id.key --to @out', 2, 'selection-malformed'],
  ['repo restore latest --repository @full --identity @id.key --to ', 2, 'restore-destination-invalid'],
  ['repo backup --repository @full --state @state-full ', 2, 'source-missing'],
  ['repo init --repository  --state @state-empty --recipient age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg', 2, 'repository-malformed'],
  ['repo init --repository ftp://host/folder --state @s --recipient age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg', 2, 'repository-malformed'],
  ['repo snapshots --repository @src/file', 2, 'repository-malformed'],
  ['repo restore latest --repository s3:// --identity @id.key --to @out', 2, 'repository-malformed'],
])('%s ends with %i and says %s', async (line, exitCode, code) => {
  expect([await run(line), JSON.parse(err)]).toMatchObject([exitCode, { message_type: 'error', code }]);
});
