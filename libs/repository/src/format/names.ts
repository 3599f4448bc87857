import { damaged } from './damage.ts';

/** Name of the plain description of a repository. */
export const repositoryFile = 'repository.json';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** Names of the objects of a repository. All hashes are the SHA-256 of the object's bytes. */
export const objectNames = {
  idKey: (keyId: string, sha256: Uint8Array): string => `id-key/${keyId}/${hex(sha256)}`,
  dataKey: (keyId: string, sha256: Uint8Array): string => `keys/${keyId}/${hex(sha256)}`,
  catalogKey: (keyId: string, sha256: Uint8Array): string => `catalog-keys/${keyId}/${hex(sha256)}`,
  pack: (sha256: Uint8Array): string => `packs/${hex(sha256).slice(0, 2)}/${hex(sha256)}`,
  index: (sha256: Uint8Array): string => `indexes/${hex(sha256)}`,
  keyBundle: (sha256: Uint8Array): string => `key-bundles/${hex(sha256)}`,
  snapshot: (snapshotId: string, sha256: Uint8Array): string => `snapshots/${snapshotId}/${hex(sha256)}`,
} as const;

/** Prefixes to list by. */
export const objectPrefixes = {
  idKeys: 'id-key/', dataKeys: 'keys/', catalogKeys: 'catalog-keys/', packs: 'packs/', indexes: 'indexes/', keyBundles: 'key-bundles/',
  snapshots: 'snapshots/',
} as const;

const shapes = {
  'id-key': /^id-key\/([0-9a-f]{32})\/([0-9a-f]{64})$/,
  'data-key': /^keys\/([0-9a-f]{32})\/([0-9a-f]{64})$/,
  'catalog-key': /^catalog-keys\/([0-9a-f]{32})\/([0-9a-f]{64})$/,
  pack: /^packs\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/,
  index: /^indexes\/()([0-9a-f]{64})$/,
  'key-bundle': /^key-bundles\/()([0-9a-f]{64})$/,
  snapshot: /^snapshots\/([A-Za-z0-9_-]{1,64})\/([0-9a-f]{64})$/,
} as const;

export type ObjectKind = keyof typeof shapes;

/** What a name says about its object. */
export interface ParsedName {
  readonly kind: ObjectKind;
  /** Key id or snapshot id; for others ''. */
  readonly id: string;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Takes a name of the format apart; undefined for `repository.json` and for what is not of the format. */
export const parseObjectName = (name: string): ParsedName | undefined => {
  for (const kind of Object.keys(shapes) as ObjectKind[]) {
    const match = shapes[kind].exec(name);
    if (match) return { kind, id: kind === 'pack' ? '' : (match[1] ?? ''), sha256: match[2] ?? '' };
  }
  return undefined;
};

/** The hash that a name ends in, 32 bytes. Throws `object-damaged` for a name that is not of the format. */
export const hashOfName = (name: string): Buffer => {
  const parsed = parseObjectName(name);
  if (!parsed) throw damaged('object-damaged', `${name} is not the name of an object of a repository`);
  return Buffer.from(parsed.sha256, 'hex');
};
