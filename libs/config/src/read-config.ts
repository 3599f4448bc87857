import { readFileSync } from 'node:fs';
import type { ClassConstructor } from 'class-transformer';
import { validateSync } from 'class-validator';
import { AppError, type FieldFault, messageOf } from '#kernel';
import { type SettingDefinition, sectionsOf, settingsOf } from './setting.ts';

/** Variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

interface Reading {
  readonly variables: Variables;
  readonly faults: FieldFault[];
  readonly known: Set<string>;
}

/** Variables that programs around the stack read themselves: never an unknown setting. */
const foreign = ['HOLDFAST_NATS_SERVER'];

const fromFile = (name: string, file: string, faults: FieldFault[]): string | undefined => {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    faults.push({ field: name, detail: `${name} names a file that cannot be read (${code}); correct the path or its permissions` });
    return undefined;
  }
};

/** The one text given for a setting under any of its names; several different ones are a fault. */
const textOf = ({ name, aliases = [] }: SettingDefinition, { variables, faults, known }: Reading): string | undefined => {
  const given = new Map<string, string>();
  for (const candidate of [name, ...aliases]) {
    known.add(candidate).add(`${candidate}_FILE`);
    const plain = variables[candidate];
    if (plain) given.set(candidate, plain);
    const file = variables[`${candidate}_FILE`];
    const text = file ? fromFile(`${candidate}_FILE`, file, faults) : undefined;
    if (text !== undefined) given.set(`${candidate}_FILE`, text);
  }
  if (new Set(given.values()).size > 1) {
    faults.push({ field: name, detail: `${[...given.keys()].join(' and ')} say different things; keep one of them` });
    return undefined;
  }
  return [...given.values()][0];
};

const read = (type: ClassConstructor<object>, reading: Reading): object => {
  const { faults } = reading;
  const config = new type() as Record<string, unknown>;
  const definitions = settingsOf(type);
  const unreadable = new Set<string>();
  for (const definition of definitions) {
    const before = faults.length;
    const text = textOf(definition, reading);
    try {
      if (text !== undefined) config[definition.property] = definition.parse ? definition.parse(text) : text;
    } catch (error) {
      faults.push({ field: definition.name, detail: `${definition.name} ${messageOf(error)}` });
    }
    if (faults.length > before) unreadable.add(definition.property);
  }
  for (const error of definitions.length > 0 ? validateSync(config, { forbidUnknownValues: true }) : []) {
    const name = definitions.find(({ property }) => property === error.property)?.name ?? error.property;
    if (unreadable.has(error.property)) continue;
    const details = Object.values(error.constraints ?? {}).map((detail) => detail.replace(error.property, '').trim());
    faults.push({ field: name, detail: `${name} ${config[error.property] === undefined ? 'is not set; it ' : ''}${details.join(', ')}` });
  }
  for (const { property, type: inner } of sectionsOf(type)) config[property] = read(inner, reading);
  return Object.freeze(config);
};

/**
 * Reads the settings of a class with `@Setting` (and `@Section`) properties and class-validator decorators from `variables`.
 * Every setting may instead be given as the path of a file in `<NAME>_FILE` (one trailing newline is not part of it); an empty
 * variable counts as absent. Throws one `invalid-configuration` that lists every fault, unknown `HOLDFAST_*` variables included;
 * no fault repeats a value. The result is frozen.
 * @param alsoKnown names that another part of the same process reads.
 */
export const readConfig = <T extends object>(type: ClassConstructor<T>, variables: Variables, alsoKnown: readonly string[] = []): Readonly<T> => {
  const reading: Reading = { variables, faults: [], known: new Set([...foreign, ...alsoKnown]) };
  const config = read(type, reading);
  for (const name of Object.keys(variables)) {
    if (!name.startsWith('HOLDFAST_') || reading.known.has(name)) continue;
    reading.faults.push({ field: name, detail: `${name} is no setting of this program; remove it or correct its name` });
  }
  const { faults } = reading;
  if (faults.length === 0) return config as T;
  const detail = `The configuration has ${faults.length} fault(s): ${faults.map((fault) => fault.detail).join('; ')}`;
  throw new AppError({ kind: 'validation', code: 'invalid-configuration', detail, fields: faults });
};
