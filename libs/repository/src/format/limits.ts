/** Limits of format 1 that a reader relies on; a reader refuses what is beyond them before it allocates anything. */
export const limits = {
  /** No chunk, frame plaintext, directory or section is larger once decoded. */
  plainBytes: 16 * 1024 * 1024,
  /** A sealed frame: plaintext limit, and what incompressible input may grow by, and nonce and tag. */
  sealedBytes: 16 * 1024 * 1024 + 128 * 1024,
  /** One pack object. */
  packBytes: 64 * 1024 * 1024,
  /** One line of a manifest, its newline included. */
  manifestLineBytes: 1024 * 1024,
  /** Records in one list chunk. */
  listRecords: 16_384,
  /** References an entry may have in the refs chunk itself; beyond that they are put into lists. */
  directReferences: 16,
  /** Lists in lists: 16,384^4 chunks are more than anybody has. */
  listDepth: 5,
  /** Sections above this are cut into chunks of their class. */
  sectionBytes: 256 * 1024,
  /** All pieces of a section together: the manifest of more than a billion files. */
  sectionTotalBytes: 128 * 1024 * 1024,
  /** A header of a snapshot, or `repository.json`. */
  headerBytes: 64 * 1024,
  /** One snapshot object: header, two sealed sections, prefix and MAC. */
  snapshotBytes: 34 * 1024 * 1024,
  /** An age file that wraps one key. */
  wrappedKeyBytes: 16 * 1024,
} as const;

/** What a frame holds; a part of its authenticated data, so that one kind can never be taken for another. */
export const frameClass = { data: 1, catalog: 2, directory: 3, catalogSection: 4, dataSection: 5 } as const;
export type FrameClass = (typeof frameClass)[keyof typeof frameClass];

/** Classes of chunks, and so of the frames in a pack. */
export type ChunkClass = typeof frameClass.data | typeof frameClass.catalog;

/** How a frame's plaintext is packed. */
export const codec = { raw: 0, zstd: 1 } as const;
export type Codec = (typeof codec)[keyof typeof codec];

/** Sizes between which content is cut, in bytes. */
export interface ChunkerLimits {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** What a new repository is made with. */
export const defaultChunker: ChunkerLimits = { min: 256 * 1024, average: 1024 * 1024, max: 8 * 1024 * 1024 };

/** Version of the format that this code writes. */
export const formatVersion = 1;

/** Optional features that this code understands. A reader refuses, by name, one that it does not know. */
export const knownFeatures: readonly string[] = [];
