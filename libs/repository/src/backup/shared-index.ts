import { chunkIdBytes } from '../format/chunk-id.ts';

const words = chunkIdBytes / 4;
const firstSlots = 1 << 16;
const maxChunks = 1 << 26;

/** The memory of a `ChunkClaims`: sent to threads by `postMessage`, shared by all of them. */
export interface ClaimsMemory {
  /** 0: lock, 1: number of ids, 2: number of slots. */
  readonly control: SharedArrayBuffer;
  readonly ids: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
}

/** Reserves address space; pages are used as they fill. */
export const createClaimsMemory = (): ClaimsMemory => {
  const memory = {
    control: new SharedArrayBuffer(16),
    ids: new SharedArrayBuffer(firstSlots * chunkIdBytes, { maxByteLength: maxChunks * chunkIdBytes }),
    slots: new SharedArrayBuffer(firstSlots * 4, { maxByteLength: maxChunks * 8 }),
  };
  new Int32Array(memory.control)[2] = firstSlots;
  return memory;
};

/**
 * The chunks that threads of one attempt have taken upon themselves to store: each id is claimed by exactly one. An open-addressing
 * table of full ids; no fingerprint can stand for another. One lock guards it: a claim takes less than a microsecond.
 */
export class ChunkClaims {
  private readonly memory: ClaimsMemory;
  private readonly control: Int32Array;
  private readonly wanted = new Int32Array(words);
  private ids: Int32Array;
  private slots: Int32Array;

  constructor(memory: ClaimsMemory) {
    this.memory = memory;
    this.control = new Int32Array(memory.control);
    this.ids = new Int32Array(memory.ids, 0, memory.ids.byteLength >>> 2);
    this.slots = new Int32Array(memory.slots, 0, memory.slots.byteLength >>> 2);
  }

  /** True for the first to claim this id: it must store the chunk. */
  claim(id: Buffer): boolean {
    for (let i = 0; i < words; i++) this.wanted[i] = id.readInt32LE(i * 4);
    this.lock();
    try {
      this.refresh();
      return this.insert();
    } finally {
      this.unlock();
    }
  }

  private lock(): void {
    while (Atomics.compareExchange(this.control, 0, 0, 1) !== 0) Atomics.wait(this.control, 0, 1, 1);
  }

  private unlock(): void {
    Atomics.store(this.control, 0, 0);
    Atomics.notify(this.control, 0, 1);
  }

  /** Another thread may have made the tables larger. */
  private refresh(): void {
    const { ids, slots } = this.memory;
    if (this.ids.byteLength !== ids.byteLength) this.ids = new Int32Array(ids, 0, ids.byteLength >>> 2);
    if (this.slots.byteLength !== slots.byteLength) this.slots = new Int32Array(slots, 0, slots.byteLength >>> 2);
  }

  private insert(): boolean {
    const mask = this.slots.length - 1;
    let slot = (this.wanted[1] as number) & mask;
    for (;;) {
      const held = this.slots[slot] as number;
      if (held === 0) break;
      if (this.isWanted((held - 1) * words)) return false;
      slot = (slot + 1) & mask;
    }
    const count = this.control[1] as number;
    if ((count + 1) * chunkIdBytes > this.memory.ids.byteLength) this.growIds();
    this.ids.set(this.wanted, count * words);
    this.slots[slot] = count + 1;
    this.control[1] = count + 1;
    if ((count + 1) * 2 > this.slots.length) this.growSlots();
    return true;
  }

  private isWanted(at: number): boolean {
    for (let i = 0; i < words; i++) if (this.ids[at + i] !== this.wanted[i]) return false;
    return true;
  }

  private growIds(): void {
    this.memory.ids.grow(this.memory.ids.byteLength * 2);
    this.refresh();
  }

  private growSlots(): void {
    this.memory.slots.grow(this.memory.slots.byteLength * 2);
    this.refresh();
    this.slots.fill(0);
    const mask = this.slots.length - 1;
    const count = this.control[1] as number;
    for (let index = 0; index < count; index++) {
      let slot = (this.ids[index * words + 1] as number) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
      this.slots[slot] = index + 1;
    }
  }
}
