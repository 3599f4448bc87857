import { readFileSync } from 'node:fs';
import type { ClassConstructor } from 'class-transformer';
import { type ValidationError, validateSync } from 'class-validator';
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

/** Sets what the environment says; the properties whose text cannot be understood are returned, so that they are told once. */
const fill = (config: Record<string, unknown>, definitions: readonly SettingDefinition[], reading: Reading): ReadonlySet<string> => {
  const unreadable = new Set<string>();
  for (const definition of definitions) {
    const before = reading.faults.length;
    const text = textOf(definition, reading);
    try {
      if (text !== undefined) config[definition.property] = definition.parse ? definition.parse(text) : text;
    } catch (error) {
      reading.faults.push({ field: definition.name, detail: `${definition.name} ${messageOf(error)}` });
    }
    if (reading.faults.length > before) unreadable.add(definition.property);
  }
  return unreadable;
};

/** One fault of class-validator in the words of the variable. */
const faultOf = ({ property, constraints, value }: ValidationError, definitions: readonly SettingDefinition[]): FieldFault => {
  const name = definitions.find((definition) => definition.property === property)?.name ?? property;
  const details = Object.values(constraints ?? {}).map((detail) => detail.replace(property, '').trim());
  return { field: name, detail: `${name} ${value === undefined ? 'is not set; it ' : ''}${details.join(', ')}` };
};

const read = (type: ClassConstructor<object>, reading: Reading): object => {
  const config = new type() as Record<string, unknown>;
  const definitions = settingsOf(type);
  const unreadable = fill(config, definitions, reading);
  const errors = definitions.length > 0 ? validateSync(config, { forbidUnknownValues: true }) : [];
  reading.faults.push(...errors.filter(({ property }) => !unreadable.has(property)).map((error) => faultOf(error, definitions)));
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
