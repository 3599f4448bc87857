import type { SourceEntry } from '#sources';

/** An entry on its way into the manifest. */
export interface WindowSlot {
  readonly id: number;
  entry: SourceEntry;
  /** See `manifestLineHead`. */
  head: Buffer;
  /** Records of the refs chunk; absent while the content is being read. */
  references?: Uint8Array;
  /** Bytes of its content that a worker has read for it. */
  read?: number;
  /** Could not be read: stays out of the manifest. */
  dropped: boolean;
  /** The first name of the same file: its references are this one's too. */
  readonly sameAs?: WindowSlot;
}

/** What an entry costs beside its line. */
const slotBytes = 1000;

/** Entries in walk order, some of which wait for their content: they leave in order. */
export class EntryWindow {
  private slots: WindowSlot[] = [];
  private first = 0;
  private readonly pending = new Map<number, WindowSlot>();
  private next = 0;
  /** About how much memory the waiting entries take. */
  bytes = 0;

  add(slot: Omit<WindowSlot, 'id' | 'dropped'>): WindowSlot {
    const added = { ...slot, id: this.next++, dropped: false };
    this.slots.push(added);
    this.bytes += added.head.length + slotBytes;
    if (!added.references && !added.sameAs) this.pending.set(added.id, added);
    return added;
  }

  /** The slot whose content a worker has read. */
  take(id: number): WindowSlot | undefined {
    const slot = this.pending.get(id);
    this.pending.delete(id);
    return slot;
  }

  get empty(): boolean {
    return this.first === this.slots.length;
  }

  /** Whether the oldest entry can leave. */
  get ready(): boolean {
    const slot = this.slots[this.first];
    return slot !== undefined && (slot.dropped || slot.references !== undefined || slot.sameAs !== undefined);
  }

  /** The oldest entry, when it is ready. */
  shift(): WindowSlot | undefined {
    if (!this.ready) return undefined;
    const slot = this.slots[this.first++] as WindowSlot;
    this.bytes -= slot.head.length + slotBytes;
    if (this.first > 1024 && this.first * 2 > this.slots.length) {
      this.slots = this.slots.slice(this.first);
      this.first = 0;
    }
    return slot;
  }
}
