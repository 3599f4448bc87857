/** What became of one file. */
export interface FileOutcome {
  readonly slot: number;
  /** Records of the refs chunk, absent when the file could not be read. */
  readonly references?: Uint8Array;
  /** Bytes read. */
  readonly size: number;
  /** The file was not as walked: what it was when it was opened. */
  readonly facts?: BigInt64Array;
  readonly fault?: { readonly code: string; readonly detail: string };
}

/**
 * What became of the files of a job, as it goes from thread to thread: a few arrays for the many that were as walked, as an object and a
 * buffer for each cost as much to send as the files cost to open.
 */
export interface FileOutcomes {
  readonly slots: readonly number[];
  /** Bytes read of each. */
  readonly sizes: Float64Array;
  /** Records of each, one after the other. */
  readonly references: Uint8Array;
  /** How many bytes of `references` are of each. */
  readonly lengths: Uint32Array;
  /** Those that there is more to say of, by their places: faults, and files that were not as walked. */
  readonly others: ReadonlyMap<number, FileOutcome>;
}

const isPlain = (outcome: FileOutcome): boolean => outcome.references !== undefined && !outcome.facts && !outcome.fault;

export const encodeOutcomes = (outcomes: readonly FileOutcome[]): FileOutcomes => {
  const plain = outcomes.map((outcome) => (isPlain(outcome) ? outcome.references : undefined));
  const lengths = Uint32Array.from(plain, (references) => references?.length ?? 0);
  const references = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const records of plain) {
    if (!records) continue;
    references.set(records, at);
    at += records.length;
  }
  return {
    slots: outcomes.map((outcome) => outcome.slot), sizes: Float64Array.from(outcomes, (outcome) => outcome.size), references, lengths,
    others: new Map([...outcomes.entries()].filter(([, outcome]) => !isPlain(outcome))),
  };
};

/** The outcomes in their order. Their references are views. */
export function* decodeOutcomes({ slots, sizes, references, lengths, others }: FileOutcomes): Generator<FileOutcome> {
  let at = 0;
  for (const [place, slot] of slots.entries()) {
    const end = at + (lengths[place] ?? 0);
    yield others.get(place) ?? { slot, size: sizes[place] ?? 0, references: references.subarray(at, end) };
    at = end;
  }
}
