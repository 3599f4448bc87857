import type { ClassConstructor } from 'class-transformer';

/** Turns a variable's text into a value; throws an Error whose message says what is expected, never what was given. */
export type Parse<T = unknown> = (text: string) => T;

/** How a property is read from the environment. */
export interface SettingOptions {
  /** Default: the text as it is. */
  readonly parse?: Parse;
  /** Other names of the same setting, which operators of older systems know. */
  readonly aliases?: readonly string[];
}

/** A property and the variables it comes from. */
export interface SettingDefinition extends SettingOptions {
  readonly property: string;
  readonly name: string;
}

/** A property that holds another class of settings. */
export interface SectionDefinition {
  readonly property: string;
  readonly type: ClassConstructor<object>;
}

const settings = new WeakMap<object, SettingDefinition[]>();
const sections = new WeakMap<object, SectionDefinition[]>();

const add = <T>(all: WeakMap<object, T[]>, prototype: object, definition: T): void => {
  all.set(prototype, [...(all.get(prototype) ?? []), definition]);
};

/** Own and inherited definitions of a class. */
const collect = <T>(all: WeakMap<object, T[]>, prototype: object | null): readonly T[] =>
  prototype === null ? [] : [...collect(all, Object.getPrototypeOf(prototype) as object | null), ...(all.get(prototype) ?? [])];

/** The property comes from the variable `name` (or the file named by `name_FILE`); its initial value is the default. */
export const Setting = (name: string, options: SettingOptions = {}): PropertyDecorator =>
  (prototype, property) => add(settings, prototype, { ...options, name, property: String(property) });

/** The property holds the settings of another class. */
export const Section = (type: ClassConstructor<object>): PropertyDecorator =>
  (prototype, property) => add(sections, prototype, { type, property: String(property) });

export const settingsOf = (type: ClassConstructor<object>): readonly SettingDefinition[] => collect(settings, type.prototype as object);
export const sectionsOf = (type: ClassConstructor<object>): readonly SectionDefinition[] => collect(sections, type.prototype as object);
