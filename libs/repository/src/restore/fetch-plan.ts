import type { ChunkLocation, LocatedFrame } from './chunk-locations.ts';

/** A chunk that is wanted, and where its copies lie. */
export interface WantedChunk {
  readonly copies: readonly ChunkLocation[];
  /** Which copy is to be tried. */
  readonly copy: number;
}

/** Neighbouring frames of one pack that are fetched with one request. */
export interface FetchGroup<T extends WantedChunk> {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  readonly frames: readonly { readonly number: number; readonly frame: LocatedFrame; readonly wanted: readonly T[] }[];
}

/** Frames further apart than this are fetched separately. */
const gapBytes = 128 * 1024;
/** One request is at most this, unless a single frame is larger. */
const fetchBytes = 2 * 1024 * 1024;

interface OpenGroup<T extends WantedChunk> {
  readonly pack: string;
  readonly offset: number;
  end: number;
  readonly frames: { readonly number: number; readonly frame: LocatedFrame; readonly wanted: T[] }[];
}

const fits = (group: OpenGroup<WantedChunk>, frame: LocatedFrame): boolean =>
  group.pack === frame.pack && frame.offset >= group.end && frame.offset - group.end <= gapBytes &&
  frame.offset + frame.length - group.offset <= fetchBytes;

/** Orders wanted chunks by where they lie and joins neighbours. Each frame is fetched once. */
export const planFetches = <T extends WantedChunk>(wanted: readonly T[], frames: readonly LocatedFrame[]): FetchGroup<T>[] => {
  const place = (chunk: T): ChunkLocation => chunk.copies[chunk.copy] as ChunkLocation;
  const sorted = [...wanted].sort((a, b) => place(a).frame - place(b).frame || place(a).offset - place(b).offset);
  const groups: OpenGroup<T>[] = [];
  for (const chunk of sorted) {
    const number = place(chunk).frame;
    const frame = frames[number] as LocatedFrame;
    const group = groups[groups.length - 1];
    const last = group?.frames[group.frames.length - 1];
    if (last?.number === number) {
      last.wanted.push(chunk);
    } else if (group && fits(group, frame)) {
      group.frames.push({ number, frame, wanted: [chunk] });
      group.end = frame.offset + frame.length;
    } else {
      groups.push({ pack: frame.pack, offset: frame.offset, end: frame.offset + frame.length, frames: [{ number, frame, wanted: [chunk] }] });
    }
  }
  return groups.map(({ pack, offset, end, frames: members }) => ({ pack, offset, length: end - offset, frames: members }));
};
