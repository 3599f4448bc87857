import { chunkIdBytes } from '../format/chunk-id.ts';
import type { ChunkClass, Codec } from '../format/limits.ts';
import type { PackDirectory } from '../format/read-pack-directory.ts';

/** A frame and where it lies. */
export interface LocatedFrame {
  readonly pack: string;
  readonly offset: number;
  readonly length: number;
  readonly class: ChunkClass;
  readonly codec: Codec;
  readonly keyId: string;
  readonly plainLength: number;
}

/** One stored copy of a chunk. */
export interface ChunkLocation {
  /** Frames are numbered in the order of packs, then of offsets. */
  readonly frame: number;
  /** Of the chunk in the frame's plaintext. */
  readonly offset: number;
  readonly length: number;
}

const words = chunkIdBytes / 4;

/** Where every chunk of some packs lies: an open-addressing table in typed arrays, about 60 bytes a chunk. */
export class ChunkLocations {
  readonly frames: LocatedFrame[] = [];
  private ids = new Int32Array(1024 * words);
  private places = new Uint32Array(1024 * 3);
  private slots = new Int32Array(4096);
  private count = 0;
  private readonly wanted = new Int32Array(words);

  /** Adds all chunks of a pack. Copies of an id are found in the order in which they were added. */
  addPack(directory: PackDirectory): void {
    for (const frame of directory.frames) {
      const { offset, length, class: frameClass, codec, keyId, plainLength } = frame;
      const number = this.frames.push({ pack: directory.name, offset, length, class: frameClass, codec, keyId, plainLength }) - 1;
      let at = 0;
      for (const chunk of frame.chunks) {
        this.add(chunk.id, number, at, chunk.length);
        at += chunk.length;
      }
    }
  }

  private add(id: Buffer, frame: number, offset: number, length: number): void {
    if ((this.count + 1) * words > this.ids.length) this.grow();
    this.load(id);
    this.ids.set(this.wanted, this.count * words);
    this.places.set([frame, offset, length], this.count * 3);
    this.count++;
    this.enter(this.count);
  }

  private load(id: Buffer): void {
    for (let i = 0; i < words; i++) this.wanted[i] = id.readInt32LE(i * 4);
  }

  /** Puts chunk number `index` (from 1) into the first free slot of its row. */
  private enter(index: number): void {
    const mask = this.slots.length - 1;
    let slot = (this.ids[(index - 1) * words + 1] as number) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.slots[slot] = index;
  }

  private grow(): void {
    const ids = new Int32Array(this.ids.length * 2);
    ids.set(this.ids);
    this.ids = ids;
    const places = new Uint32Array(this.places.length * 2);
    places.set(this.places);
    this.places = places;
    this.slots = new Int32Array(this.slots.length * 2);
    for (let index = 1; index <= this.count; index++) this.enter(index);
  }

  /** All copies of a chunk of this class, the earliest pack's first. */
  find(chunkClass: ChunkClass, id: Buffer): ChunkLocation[] {
    return this.copies(chunkClass, id).map((index) => this.at(index));
  }

  /** Numbers, from 0 in the order of adding, of all copies of a chunk of this class. */
  copies(chunkClass: ChunkClass, id: Buffer): number[] {
    this.load(id);
    const mask = this.slots.length - 1;
    const found: number[] = [];
    for (let slot = (this.wanted[1] as number) & mask; this.slots[slot] !== 0; slot = (slot + 1) & mask) {
      const index = (this.slots[slot] as number) - 1;
      if (this.isWanted(index * words) && this.classOf(index) === chunkClass) found.push(index);
    }
    return found;
  }

  /** How many copies of chunks there are. */
  get size(): number {
    return this.count;
  }

  /** Copy number `index`. */
  at(index: number): ChunkLocation {
    const [frame, offset, length] = this.places.subarray(index * 3, index * 3 + 3) as unknown as [number, number, number];
    return { frame, offset, length };
  }

  /** Id of copy number `index`: 32 bytes. */
  idOf(index: number): Buffer {
    const id = Buffer.allocUnsafe(chunkIdBytes);
    for (let i = 0; i < words; i++) id.writeInt32LE(this.ids[index * words + i] as number, i * 4);
    return id;
  }

  private classOf(index: number): ChunkClass | undefined {
    return this.frames[this.places[index * 3] as number]?.class;
  }

  private isWanted(at: number): boolean {
    for (let i = 0; i < words; i++) if (this.ids[at + i] !== this.wanted[i]) return false;
    return true;
  }
}
