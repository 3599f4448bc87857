import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { CommandContext } from '../context.ts';
import { registerFleet } from './fleet.command.ts';
import { registerWork } from './work.command.ts';

/** How each operation of the interface about nodes, links, keys, tasks and runs is done on the command line. */
const verbs: Readonly<Record<string, string>> = {
  Nodes_list: 'nodes ls', Nodes_add: 'nodes add', Nodes_show: 'nodes show', Nodes_change: 'nodes rename|label|slots', Nodes_disable: 'nodes disable', Nodes_enable: 'nodes enable',
  Nodes_drain: 'nodes drain', Nodes_resume: 'nodes resume', Nodes_remove: 'nodes rm', Credentials_list: 'nodes credentials', Credentials_revoke: 'nodes revoke',
  Credentials_rotate: 'nodes rotate', Credentials_cancelRotation: 'nodes rotate', Enrolment_list: 'nodes links', Enrolment_issue: 'nodes enrol', Batches_issue: 'nodes enrol-batch',
  Batches_revoke: 'nodes revoke-link', Batches_revokeAll: 'nodes revoke-link', Upgrades_upgrade: 'nodes upgrade', Upgrades_upgradeMany: 'nodes upgrade',
  Hosts_browse: 'nodes browse', Hosts_discoveries: 'nodes discover',
  Tasks_list: 'tasks ls', Tasks_define: 'tasks add', Tasks_show: 'tasks show', Tasks_change: 'tasks edit', Tasks_remove: 'tasks rm', Tasks_run: 'run', Tasks_pause: 'tasks pause',
  Tasks_resume: 'tasks resume', Tasks_preview: 'tasks preview',
  Runs_list: 'runs ls', Runs_show: 'runs show', Runs_log: 'runs log', Runs_cancel: 'runs cancel', Runs_retry: 'runs retry',
};
const about = /^\/api\/v1\/(nodes|enrolment-links|enrolment-batches|tasks|runs)(\/|:|$)/;

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: { readonly $ref: string } }>> };
}
const { paths, components } = JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8')) as {
  paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components: { schemas: Readonly<Record<string, { readonly properties: Readonly<Record<string, unknown>> }>> };
};
const operations = Object.entries(paths).flatMap(([path, methods]) => (about.test(path) ? Object.values(methods) : []));
const program = new Command('holdfast');
const context = new CommandContext(() => ({}));
registerFleet(program, context);
registerWork(program, context);
const find = (words: string): Command | undefined => words.split(' ').reduce<Command | undefined>((at, word) => at?.commands.find((one) => one.name() === word), program);
const commandsOf = (verb: string): (Command | undefined)[] => {
  const [group, last = ''] = verb.includes('|') ? verb.split(' ') : [verb];
  return last ? last.split('|').map((word) => find(`${group} ${word}`)) : [find(verb)];
};
const helpOf = (command: Command): string => {
  let text = '';
  command.configureOutput({ writeOut: (part) => { text += part; } });
  command.outputHelp();
  return text;
};

describe('the command line', () => {
  it('has a verb for every operation about nodes, links, keys, tasks and runs, and for none that is not there', () => {
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(verbs).sort());
  });
  it.each([...new Set(Object.values(verbs))])('%s says what it does and shows how', (verb) => {
    for (const command of commandsOf(verb)) {
      expect(command?.description()).toMatch(/\w{2,}/);
      expect(command && helpOf(command)).toMatch(/\nExamples?:\n {2}holdfast \w+/);
    }
  });
  it.each([['tasks add', 'DefineTaskRequest'], ['tasks edit', 'ChangeTaskRequest']])('%s has a flag for every field of %s', (verb, schema) => {
    const flags: Readonly<Record<string, string>> = {
      nodes: 'node', node: 'node', selector: 'selector', place: 'place', offline: 'offline', waitSeconds: 'wait', schedule: 'schedule', overlap: 'overlap', retention: 'keepLast',
      timeoutSeconds: 'timeout', retries: 'retries', name: 'name', target: 'target', source: 'path',
    };
    const known = new Set([...(find(verb)?.options.map((option) => option.attributeName()) ?? []), ...(find(verb)?.registeredArguments.map((argument) => argument.name()) ?? [])]);
    const fields = Object.keys(components.schemas[schema]?.properties ?? {});
    expect(fields.length).toBeGreaterThan(10);
    expect(fields.filter((field) => !known.has(flags[field] ?? '?'))).toEqual([]);
  });
});

it('the description of the interface lists the words of each type in the order of letters, whatever was compiled first', () => {
  const lists: string[][] = [];
  JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8'), (key, value: unknown) => {
    if (key === 'enum') lists.push(value as string[]);
    return value;
  });
  expect(lists.length).toBeGreaterThan(20);
  for (const list of lists) expect(list).toEqual([...list].sort());
});
