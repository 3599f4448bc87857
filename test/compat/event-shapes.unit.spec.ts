import { globSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { catalogue } from '../../apps/master/src/catalogue.ts';
import { eventHeader } from '#event-store';

const root = resolve(import.meta.dirname, '..', '..');
const folder = join(import.meta.dirname, 'events');

/** Where each event type of the code is declared. */
const declared = new Map(globSync('apps/master/src/modules/*/domain/*.ts', { cwd: root }).filter((file) => !file.includes('.spec.')).flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^export type (\w+) = DomainEvent</gm)].map(([, type]) => [type ?? '', file] as const)));

/** One constant for each recorded example, of the type that the code gives its data today. */
const program = (examples: readonly { readonly name: string; readonly type: string; readonly data: object }[]): string =>
  examples.map(({ name, type, data }) => {
    const file = relative(import.meta.dirname, join(root, declared.get(type) ?? '')).replaceAll('\\', '/');
    return `export const ${name}: import('./${file}').${type}['data'] = ${JSON.stringify(data)};\n`;
  }).join('');

/** Read once for all comparisons. */
const read = new Map<string, ts.SourceFile | undefined>();

const faultsOf = (text: string): string[] => {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile.bind(ts.sys)) as { readonly config: object };
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const virtual = join(import.meta.dirname, 'examples.ts');
  const made = { ...options, noEmit: true, skipLibCheck: true, incremental: false, composite: false, types: [] };
  delete made.tsBuildInfoFile;
  const host = ts.createCompilerHost(made);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === virtual || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    if (name === virtual) return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    if (!read.has(name)) read.set(name, getSourceFile(name, ...rest));
    return read.get(name);
  };
  const built = ts.createProgram([virtual], made, host);
  const source = built.getSourceFile(virtual);
  return [...built.getSyntacticDiagnostics(source), ...built.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) => {
    const [name] = /\w+(?=: import)/.exec(text.slice(text.lastIndexOf('\n', start) + 1)) ?? ['?'];
    return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
};

interface Recorded {
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: object;
}
const today = (type: string, version: number, data: object): object => catalogue.types.upcast(type, version, data);

const fixtures = readdirSync(folder).filter((name) => /^\w+\.v\d+\.json$/.test(name)).map((name) => {
  const [type = '', version = ''] = name.split('.');
  const { data } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded;
  return { name: `${type}_${version}`, type, data: today(type, Number(version.slice(1)), data) };
});
const history = readFileSync(join(folder, 'history.ndjson'), 'utf8').trim().split('\n').map((line) => {
  const { sequence, headers, data } = JSON.parse(line) as Recorded;
  const type = headers[eventHeader.type] ?? '';
  return { name: `${type}_at_${sequence}`, type, data: today(type, Number(headers[eventHeader.version]), data) };
});
const examples = [...fixtures, ...history];

/** A field that is new, gone or another without a new version would leave the code with shapes that lie in no log. */
it('what was recorded has, upcast, exactly the shape that the code expects today', () => {
  expect(examples.map(({ type }) => type).filter((type) => !declared.has(type))).toEqual([]);
  expect(faultsOf(program(examples)), 'give the event a new version with an upcaster').toEqual([]);
}, 120_000);

it('the comparison sees what is missing and what is too much', () => {
  const data = { name: 'a', labels: {}, slots: 1 };
  const faults = faultsOf(program([
    { name: 'right', type: 'NodeAdded', data }, { name: 'missing', type: 'NodeAdded', data: { name: 'a', labels: {} } },
    { name: 'more', type: 'NodeAdded', data: { ...data, colour: 'red' } },
  ]));
  expect(faults).toEqual([expect.stringMatching(/^missing: .*'slots' is missing/), expect.stringMatching(/^more: .*colour/)]);
}, 120_000);
