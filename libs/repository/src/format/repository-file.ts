import { damaged } from './damage.ts';
import { type Key, repositoryIdOf } from './keys.ts';
import { type ChunkerLimits, defaultChunker, formatVersion, limits } from './limits.ts';
import { checkFormat } from './snapshot.ts';

/** The plain, immutable description of a repository. Holds no recipients: whoever could edit them could read all future runs. */
export interface RepositoryDescription {
  readonly format: number;
  readonly requires: readonly string[];
  /** 32 hex digits. */
  readonly repository: string;
  /** 32 hex digits. */
  readonly idKey: string;
  readonly chunker: ChunkerLimits;
}

/** The bytes of `repository.json` of a new repository: the same for the same arguments, so that writing it twice is harmless. */
export const encodeRepositoryFile = (repository: string, idKey: string, chunker: ChunkerLimits): Buffer =>
  Buffer.from(`${JSON.stringify({
    format: formatVersion, requires: [], repository, idKey, chunker: { min: chunker.min, average: chunker.average, max: chunker.max },
  })}\n`);

/** The bytes of `repository.json` that a writer with this id key makes: tells of which writer a repository is before its first snapshot. */
export const repositoryFileOf = (idKey: Key): Buffer => encodeRepositoryFile(repositoryIdOf(idKey.bytes), idKey.id, defaultChunker);

const isChunker = (value: unknown): value is ChunkerLimits => {
  if (typeof value !== 'object' || value === null) return false;
  const { min, average, max } = value as Record<string, unknown>;
  const sizes = [min, average, max];
  if (!sizes.every((size): size is number => typeof size === 'number' && Number.isSafeInteger(size))) return false;
  const [low, middle, high] = sizes as [number, number, number];
  // Powers of two, which another digit never leaves one: this object has no hash in its name.
  return low >= 4096 && low < middle && middle < high && high <= limits.plainBytes / 2 && sizes.every((size) => Number.isInteger(Math.log2(size)));
};

/** Throws `repository-damaged`, `format-unknown` or `feature-unknown`. */
export const decodeRepositoryFile = (bytes: Uint8Array): RepositoryDescription => {
  const broken = (what: string): Error => damaged('repository-damaged', `repository.json is damaged: ${what}`);
  if (bytes.length > limits.headerBytes) throw broken('it is too large');
  let value: Record<string, unknown>;
  try {
    value = Object(JSON.parse(Buffer.from(bytes).toString('utf8'))) as Record<string, unknown>;
  } catch {
    throw broken('it is no JSON');
  }
  checkFormat(value['format'], value['requires']);
  if (!Array.isArray(value['requires'])) throw broken('it does not say what it requires');
  const { repository, idKey, chunker } = value;
  const isId = (text: unknown): text is string => typeof text === 'string' && /^[0-9a-f]{32}$/.test(text);
  if (!isId(repository) || !isId(idKey) || !isChunker(chunker)) throw broken('an id or the chunker limits are malformed');
  return { format: formatVersion, requires: [], repository, idKey, chunker };
};
