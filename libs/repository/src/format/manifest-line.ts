import { isUtf8 } from 'node:buffer';
import type { EntryType, ExtendedAttribute } from '#sources';
import { damaged } from './damage.ts';
import { limits } from './limits.ts';
import { checkPath, type ManifestEntry } from './manifest-entry.ts';

/** `"key":"text"` when the bytes are UTF-8, `"key64":"base64"` when they are not. Never normalized. */
const bytesField = (key: string, bytes: Buffer): string =>
  isUtf8(bytes) ? `"${key}":${JSON.stringify(bytes.toString('utf8'))}` : `"${key}64":"${bytes.toString('base64')}"`;

const attributeJson = (attribute: ExtendedAttribute): string =>
  `{${bytesField('name', attribute.name)},${bytesField('value', attribute.value)}}`;

const optionalFields = (entry: ManifestEntry): string => {
  let text = '';
  if (entry.links > 1) text += `,"links":${entry.links}`;
  if (entry.hardlink !== undefined) text += `,"hardlink":"${entry.hardlink}"`;
  if (entry.rdev !== undefined) text += `,"rdev":"${entry.rdev}"`;
  if (entry.linkTarget) text += `,${bytesField('target', entry.linkTarget)}`;
  if (entry.xattrs && entry.xattrs.length > 0) text += `,"xattrs":[${entry.xattrs.map(attributeJson).join(',')}]`;
  if (entry.flags && entry.flags.length > 0) text += `,"flags":${JSON.stringify(entry.flags)}`;
  return text;
};

/** The line of an entry without its reference count and end, so that two can be compared before content is read. */
export const manifestLineHead = (entry: Omit<ManifestEntry, 'references'>): string => {
  const names = (entry.user === undefined ? '' : `,"user":${JSON.stringify(entry.user)}`) +
    (entry.group === undefined ? '' : `,"group":${JSON.stringify(entry.group)}`);
  return `{${bytesField('path', entry.path)},"type":"${entry.type}","mode":${entry.mode},"uid":${entry.uid},"gid":${entry.gid}${names}` +
    `,"size":${entry.size},"mtime":"${entry.mtimeNs}","ctime":"${entry.ctimeNs}","inode":"${entry.inode}","device":"${entry.device}"` +
    optionalFields(entry as ManifestEntry);
};

/** The end of a line whose entry has this many references. */
export const manifestLineTail = (references: number): string => (references > 0 ? `,"references":${references}}\n` : '}\n');

/** One line of a manifest with its newline. Throws `manifest-line-too-long` beyond 1 MiB. */
export const encodeManifestLine = (entry: ManifestEntry): Buffer => {
  checkPath(entry.path);
  const line = Buffer.from(manifestLineHead(entry) + manifestLineTail(entry.references));
  if (line.length > limits.manifestLineBytes) throw damaged('manifest-damaged', 'An entry needs more than 1 MiB in the manifest');
  return line;
};

const malformed = (field: string): Error => damaged('manifest-damaged', `A manifest holds an entry with a malformed ${field}`);

type Fields = Readonly<Record<string, unknown>>;

const asFields = (value: unknown, what: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what);
  return value as Fields;
};

const optionalBytes = (fields: Fields, key: string): Buffer | undefined => {
  const text = fields[key];
  const encoded = fields[`${key}64`];
  if (text !== undefined && encoded !== undefined) throw malformed(key);
  if (typeof text === 'string') return Buffer.from(text, 'utf8');
  if (typeof encoded === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return Buffer.from(encoded, 'base64');
  if (text === undefined && encoded === undefined) return undefined;
  throw malformed(key);
};

const requiredBytes = (fields: Fields, key: string): Buffer => {
  const bytes = optionalBytes(fields, key);
  if (!bytes) throw malformed(key);
  return bytes;
};

const count = (fields: Fields, key: string, max: number, absent?: number): number => {
  const value = fields[key] ?? absent;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) throw malformed(key);
  return value;
};

const decimal = (fields: Fields, key: string): bigint => {
  const value = fields[key];
  if (typeof value !== 'string' || !/^-?[0-9]{1,30}$/.test(value)) throw malformed(key);
  return BigInt(value);
};

const optionalText = (fields: Fields, key: string): string | undefined => {
  const value = fields[key];
  if (value !== undefined && typeof value !== 'string') throw malformed(key);
  return value;
};

const types: ReadonlySet<string> = new Set<EntryType>(['file', 'directory', 'symlink', 'fifo', 'socket', 'block', 'char', 'stream']);

const typeOf = (fields: Fields): EntryType => {
  const value = fields['type'];
  if (typeof value !== 'string' || !types.has(value)) throw malformed('type');
  return value as EntryType;
};

const attributesOf = (fields: Fields): ExtendedAttribute[] | undefined => {
  const value = fields['xattrs'];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw malformed('xattrs');
  return value.map((item) => {
    const attribute = asFields(item, 'xattrs');
    return { name: requiredBytes(attribute, 'name'), value: requiredBytes(attribute, 'value') };
  });
};

const flagsOf = (fields: Fields): string[] | undefined => {
  const value = fields['flags'];
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw malformed('flags');
  return value;
};

/** An absent key is absent in the entry too. */
const optionalFieldsOf = (fields: Fields): Partial<ManifestEntry> => {
  const optional: { -readonly [K in keyof ManifestEntry]?: ManifestEntry[K] } = {};
  const set = <K extends keyof ManifestEntry>(key: K, value: ManifestEntry[K] | undefined): void => {
    if (value !== undefined) optional[key] = value;
  };
  set('user', optionalText(fields, 'user'));
  set('group', optionalText(fields, 'group'));
  set('hardlink', optionalText(fields, 'hardlink'));
  set('rdev', fields['rdev'] === undefined ? undefined : decimal(fields, 'rdev'));
  set('linkTarget', optionalBytes(fields, 'target'));
  set('xattrs', attributesOf(fields));
  set('flags', flagsOf(fields));
  return optional;
};

const parseJson = (line: Buffer): unknown => {
  if (!isUtf8(line)) throw malformed('encoding');
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    throw malformed('line');
  }
};

/** The entry of one line (with or without its newline). Unknown keys are ignored. Throws `manifest-damaged`. */
export const decodeManifestLine = (line: Buffer): ManifestEntry => {
  if (line.length > limits.manifestLineBytes) throw malformed('length');
  const fields = asFields(parseJson(line), 'line');
  const path = requiredBytes(fields, 'path');
  checkPath(path);
  return {
    path, type: typeOf(fields),
    mode: count(fields, 'mode', 0o7777), uid: count(fields, 'uid', 0xffff_ffff), gid: count(fields, 'gid', 0xffff_ffff),
    size: count(fields, 'size', Number.MAX_SAFE_INTEGER),
    mtimeNs: decimal(fields, 'mtime'), ctimeNs: decimal(fields, 'ctime'), inode: decimal(fields, 'inode'), device: decimal(fields, 'device'),
    links: count(fields, 'links', Number.MAX_SAFE_INTEGER, 1), references: count(fields, 'references', limits.directReferences, 0),
    ...optionalFieldsOf(fields),
  };
};
