import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerAdministration } from '../../apps/cli/src/commands/administration.command.ts';
import { registerAgent } from '../../apps/cli/src/commands/agent.command.ts';
import { registerApiKeys } from '../../apps/cli/src/commands/api-keys.command.ts';
import { registerRepositories } from '../../apps/cli/src/commands/repositories.command.ts';
import { registerFleet } from '../../apps/cli/src/commands/fleet.command.ts';
import { registerKeys } from '../../apps/cli/src/commands/keys.command.ts';
import { registerRecipients } from '../../apps/cli/src/commands/recipients.command.ts';
import { registerSnapshots } from '../../apps/cli/src/commands/snapshots.command.ts';
import { registerStatus } from '../../apps/cli/src/commands/status.command.ts';
import { registerWork } from '../../apps/cli/src/commands/work.command.ts';
import type { CommandContext } from '../../apps/cli/src/context.ts';
import { registerRepoCommands } from '../../apps/cli/src/repo/register.ts';
import { registerUpCommands } from '../../apps/cli/src/up/up.command.ts';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'runbooks');
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md').sort();
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The codes of a page stand in its title; a page about something that has no code has a title in words. */
const codesOf = (name: string): string[] => {
  const title = text(name).split('\n')[0]?.replace(/^# /, '') ?? '';
  return /^[a-z0-9-]+(, [a-z0-9-]+)*$/.test(title) ? title.split(', ') : [];
};

/** Every quoted word of the product's code. */
const words = new Set(
  globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter((file) => !/spec\.ts$|testing/.test(file))
    .flatMap((file) => readFileSync(join(root, file), 'utf8').match(/'[a-z0-9]+(-[a-z0-9]+)*'/g) ?? []).map((word) => word.slice(1, -1)),
);

const program = new Command('holdfast');
const register: readonly ((program: Command, context: CommandContext) => void | Promise<void>)[] = [
  registerAdministration, registerAgent, registerFleet, registerKeys, registerRecipients, registerApiKeys, registerRepositories, registerSnapshots, registerStatus, registerWork, registerRepoCommands, registerUpCommands,
];
// Only actions use the context, and none is run here.
for (const add of register) await add(program, {} as CommandContext);

/** What of `holdfast a b --c` the command line does not know: undefined when it knows all. */
const unknownPart = (line: string): string | undefined => {
  let command = program;
  for (const word of line.split(' ').slice(1)) {
    if (word === '...') return undefined;
    const name = /^--[a-z-]+/.exec(word)?.[0];
    if (name && !command.options.some((option) => option.long === name)) return name;
    const found = command.commands.find((one) => one.name() === word);
    if (found) command = found;
    else if (!name && command.commands.length > 0) return word;
  }
  return undefined;
};

describe('runbooks', () => {
  const index = text('README.md');

  it.each(pages)('%s names codes that exist, and stands in the index with all of them', (name) => {
    expect(codesOf(name).filter((code) => !words.has(code))).toEqual([]);
    const row = index.split('\n').find((line) => line.includes(`](${name})`)) ?? '';
    expect(row.match(/`[a-z0-9-]+`/g) ?? []).toEqual(codesOf(name).map((code) => `\`${code}\``));
  });

  it('no code stands on two pages', () => {
    const all = pages.flatMap(codesOf);
    expect(all.filter((code, place) => all.indexOf(code) !== place)).toEqual([]);
  });

  it('the check of commands sees a wrong one', () => {
    expect([unknownPart('holdfast runs explode'), unknownPart('holdfast verify SNAPSHOT --loud'), unknownPart('holdfast runs show RUN')]).toEqual(['explode', '--loud', undefined]);
  });
});

describe.each(globSync('{*.md,docs/**/*.md}', { cwd: root }).sort())('%s', (file) => {
  const whole = readFileSync(join(root, file), 'utf8');

  it('names only commands of ours that exist', () => {
    const inline = whole.replaceAll('\n', ' ').match(/`(scripts\/)?holdfast [a-z][^`]*`/g) ?? [];
    const blocks = whole.match(/^(scripts\/)?holdfast [a-z][^#>|\n]*/gm) ?? [];
    const lines = [...inline.map((line) => line.slice(1, -1)), ...blocks].map((line) => line.replace('scripts/', '').replace(/>.*/, '').trim());
    expect(lines.map((line) => [line, unknownPart(line)]).filter(([, unknown]) => unknown)).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...whole.matchAll(/\]\(([^)#\s]+)/g)].map(([, link]) => link ?? '').filter((link) => !/^[a-z]+:/.test(link));
    expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
  });
});
