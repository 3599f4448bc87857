import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type Chunker, createChunker } from '../format/chunker.ts';
import { type ChunkerLimits, frameClass } from '../format/limits.ts';
import { encodeReferences, ReferenceCollector, referenceKind } from '../format/refs.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { FileOutcome } from './file-outcomes.ts';

/** One file to read: as the walk saw it. */
export interface FileToRead {
  readonly slot: number;
  readonly path: Buffer;
  /** See `factsPerFile`. */
  readonly facts: BigInt64Array;
}

/** Never follows a link that took the file's place, never waits for a fifo that did. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const readBytes = 1024 * 1024;

const zeros = Buffer.alloc(readBytes);
const isZero = (piece: Buffer): boolean => piece.length <= zeros.length && piece.equals(zeros.subarray(0, piece.length));

/** What a reader remembers from file to file: the id of the largest chunk of zeros, of which a file with holes has thousands. */
interface ZeroChunk {
  id?: Buffer;
}

const factsOf = (fd: number): { readonly isFile: boolean; readonly facts: BigInt64Array } => {
  const stat = fstatSync(fd, { bigint: true });
  return { isFile: stat.isFile(), facts: BigInt64Array.of(stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino, stat.dev) };
};

const same = (a: BigInt64Array, b: BigInt64Array): boolean =>
  a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3] && a[4] === b[4];

/** Of what the system said about the file; anything else is not the file's fault and ends the backup. */
const faultOf = (error: unknown): { code: string; detail: string } => {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
  const code = String(error.code);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { code: 'vanished', detail: 'It was there when the directory was read and gone when it was opened' };
  if (code === 'ELOOP') return { code: 'replaced', detail: 'A link took its place after the directory was read' };
  return { code: 'unreadable', detail: `The system refused to read it (${code})` };
};

const changed = (read: number, size: number): { code: string; detail: string } => ({
  code: 'changed-while-read', detail: `It changed while it was read (${read} of ${size} bytes read)`,
});

/** Reads files safely, cuts them and stores what is new. Memory is one buffer, whatever the size of a file. */
export class FileReader {
  private readonly store: ChunkStore;
  private readonly chunker: Chunker;
  private readonly limits: ChunkerLimits;
  private readonly onRead: (bytes: number) => void;
  private readonly zeroChunk: ZeroChunk = {};
  private told = 0;

  /** @param onRead is told of bytes as they are read; negative: they do not count after all, as the file could not be read. */
  constructor(store: ChunkStore, gear: Uint8Array, limits: ChunkerLimits, onRead: (bytes: number) => void = () => undefined) {
    this.onRead = onRead;
    this.store = store;
    this.chunker = createChunker(gear, limits, limits.max + readBytes);
    this.limits = limits;
  }

  /** Errors of the file system become faults of the outcome. */
  async read(file: FileToRead): Promise<FileOutcome> {
    let fd: number;
    try {
      fd = openSync(file.path, openFlags);
    } catch (error) {
      return { slot: file.slot, size: 0, fault: faultOf(error) };
    }
    this.told = 0;
    try {
      return await this.readOpen(file, fd);
    } catch (error) {
      this.tell(-this.told);
      return { slot: file.slot, size: 0, fault: faultOf(error) };
    } finally {
      closeSync(fd);
    }
  }

  private async readOpen(file: FileToRead, fd: number): Promise<FileOutcome> {
    const before = factsOf(fd);
    if (!before.isFile) return { slot: file.slot, size: 0, fault: { code: 'replaced', detail: 'It is no file any more' } };
    const size = Number(before.facts[0]);
    const { references, read } = size < this.limits.min ? await this.readSmall(fd, size) : await this.readLarge(fd, size);
    const after = factsOf(fd);
    const outcome = { slot: file.slot, references, size: read };
    const stable = read === size && same(before.facts, after.facts);
    if (stable && same(before.facts, file.facts)) return outcome;
    const facts = BigInt64Array.from(before.facts);
    facts[0] = BigInt(read);
    return stable ? { ...outcome, facts } : { ...outcome, facts, fault: changed(read, Number(after.facts[0])) };
  }

  private tell(bytes: number): void {
    this.told += bytes;
    this.onRead(bytes);
  }

  private async readSmall(fd: number, size: number): Promise<{ references: Buffer; read: number }> {
    const { bytes, at } = this.store.readInto;
    let read = 0;
    while (read < size) {
      const got = readSync(fd, bytes, at + read, size - read, null);
      if (got === 0) break;
      read += got;
    }
    this.tell(read);
    if (read === 0) return { references: Buffer.alloc(0), read };
    const id = await this.store.addRead(read);
    return { references: encodeReferences([{ kind: referenceKind.chunk, id, length: read }]), read };
  }

  private async readLarge(fd: number, size: number): Promise<{ references: Buffer; read: number }> {
    const stream = this.startStream();
    let read = 0;
    while (read < size) {
      const room = stream.room(Math.min(readBytes, size - read));
      const got = readSync(fd, room, 0, room.length, null);
      if (got === 0) break;
      read += got;
      this.tell(got);
      await stream.filled(got);
    }
    return { references: await stream.end(), read };
  }

  /** Takes content piece by piece. One stream at a time. */
  startStream(): ContentStream {
    return new ContentStream(this.store, this.chunker, { max: this.limits.max, zeroChunk: this.zeroChunk });
  }
}

/** Content on its way through the chunker. Give it bytes by filling `room`. */
export class ContentStream {
  private readonly store: ChunkStore;
  private readonly chunker: Chunker;
  private readonly max: number;
  private readonly zeroChunk: ZeroChunk;
  private readonly buffer: Buffer;
  private readonly references: ReferenceCollector;
  private readonly lists: { readonly id: Buffer; readonly plain: Buffer }[] = [];
  private start = 0;
  private end_ = 0;
  /** Everything from here to the end is known to be zero. */
  private zeroFrom = 0;

  constructor(store: ChunkStore, chunker: Chunker, { max, zeroChunk }: { readonly max: number; readonly zeroChunk: ZeroChunk }) {
    this.store = store;
    this.chunker = chunker;
    this.max = max;
    this.zeroChunk = zeroChunk;
    this.buffer = chunker.content;
    this.references = new ReferenceCollector((id, plain) => this.lists.push({ id, plain }));
    chunker.reset();
  }

  /** Where the next bytes belong: at most `wanted`. */
  room(wanted: number): Buffer {
    if (this.end_ + wanted > this.buffer.length) {
      this.buffer.copyWithin(0, this.start, this.end_);
      this.end_ -= this.start;
      this.zeroFrom = Math.max(0, this.zeroFrom - this.start);
      this.start = 0;
    }
    return this.buffer.subarray(this.end_, this.end_ + Math.min(wanted, this.buffer.length - this.end_));
  }

  /** Says that so many bytes of `room` are filled; stores the chunks that are complete. */
  async filled(length: number): Promise<void> {
    const piece = this.buffer.subarray(this.end_, this.end_ + length);
    this.end_ += length;
    if (!this.chunker.zerosRun || !isZero(piece)) this.zeroFrom = this.end_;
    for (;;) {
      if (this.zeroFrom <= this.start) {
        if (this.end_ - this.start < this.max) break;
        await this.takeZeros();
        continue;
      }
      const cut = this.chunker.cut(this.start, this.end_);
      if (cut < 0) break;
      await this.take(cut);
    }
  }

  /** The next chunk is all zero and of the largest size: the chunker, which saw nothing of it, would say so too. */
  private async takeZeros(): Promise<void> {
    const cut = this.start + this.max;
    this.zeroChunk.id ??= await this.store.add(frameClass.data, this.buffer.subarray(this.start, cut));
    this.references.add(this.zeroChunk.id, this.max);
    this.start = cut;
    await this.storeLists();
  }

  private async take(cut: number): Promise<void> {
    const plain = this.buffer.subarray(this.start, cut);
    this.references.add(await this.store.add(frameClass.data, plain), plain.length);
    this.start = cut;
    await this.storeLists();
  }

  private async storeLists(): Promise<void> {
    for (const list of this.lists.splice(0)) await this.store.put(frameClass.catalog, list.id, list.plain);
  }

  /** The records of the whole content. */
  async end(): Promise<Buffer> {
    if (this.end_ > this.start) await this.take(this.end_);
    const references = this.references.finish();
    await this.storeLists();
    return encodeReferences(references);
  }
}
