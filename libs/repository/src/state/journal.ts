import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFileRecord, type FileRecord, fileRecordHeader } from './file-record.ts';
import { readRecords, RecordWriter } from './record-file.ts';

const packMark = Buffer.from([1]);
const fileMark = Buffer.from([2]);

/** A pack that the target has confirmed. */
export interface JournalledPack {
  readonly name: string;
  readonly size: number;
  /** 32 bytes each. */
  readonly ids: Buffer;
}

/**
 * What the running attempt has durably done: packs that are confirmed, and files all of whose packs are. Holds no key. Each attempt
 * appends to a journal of its own; the next one reads all that are left.
 */
export class Journal {
  private readonly writer: RecordWriter;
  private readonly path: string;
  private closed = false;

  constructor(directory: string, generation: number) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.path = join(directory, `journal-${randomBytes(6).toString('hex')}`);
    this.writer = new RecordWriter(this.path);
    this.writer.append(Buffer.from(JSON.stringify({ generation })));
  }

  /** Call when the target has confirmed the pack. */
  pack(pack: { readonly name: string; readonly size: number; readonly ids: Uint8Array }): void {
    const name = Buffer.from(JSON.stringify({ name: pack.name, size: pack.size }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(name.length, 0);
    this.writer.append(packMark, length, name, pack.ids);
    this.writer.flush();
  }

  /** Call when all packs of the file's chunks are confirmed. */
  file(path: Buffer, head: Buffer, references: Uint8Array): void {
    this.writer.append(fileMark, fileRecordHeader(path, head), path, head, references);
  }

  flush(): void {
    this.writer.flush();
  }

  /** Idempotent. */
  close(): void {
    if (!this.closed) this.writer.close();
    this.closed = true;
  }

  /** For an attempt that ended with a snapshot. */
  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** What interrupted attempts left behind. */
export interface Leftovers {
  readonly packs: readonly JournalledPack[];
  /** By path (latin1). */
  readonly files: ReadonlyMap<string, FileRecord>;
  /** Removes the journals that were read: their content is in a snapshot or in a new journal. */
  readonly remove: () => void;
}

const decodePack = (bytes: Buffer): JournalledPack | undefined => {
  const end = 4 + bytes.readUInt32LE(0);
  const { name, size } = JSON.parse(bytes.toString('utf8', 4, end)) as { name?: unknown; size?: unknown };
  if (typeof name !== 'string' || typeof size !== 'number') return undefined;
  return { name, size, ids: Buffer.from(bytes.subarray(end)) };
};

const isOfGeneration = (record: Buffer | undefined, generation: number): boolean => {
  if (!record) return false;
  const header = JSON.parse(record.toString('utf8')) as { generation?: unknown };
  return header.generation === generation;
};

const readJournal = (path: string, generation: number, into: { packs: JournalledPack[]; files: Map<string, FileRecord> }): void => {
  const records = readRecords(path);
  if (!isOfGeneration(records.next().value as Buffer | undefined, generation)) return;
  for (const record of records) {
    const body = record.subarray(1);
    if (record[0] === packMark[0]) {
      const pack = decodePack(body);
      if (pack) into.packs.push(pack);
    } else {
      const file = decodeFileRecord(Buffer.from(body));
      if (file) into.files.set(file.path.toString('latin1'), file);
    }
  }
};

/** Reads every journal in a task's directory; those of another generation count for nothing. */
export const readLeftovers = (directory: string, generation: number): Leftovers => {
  const into = { packs: [] as JournalledPack[], files: new Map<string, FileRecord>() };
  let names: string[] = [];
  try {
    names = readdirSync(directory).filter((name) => name.startsWith('journal-'));
  } catch {
    // There is no such directory before the first attempt.
  }
  for (const name of names) readJournal(join(directory, name), generation, into);
  return {
    ...into,
    remove: () => {
      for (const name of names) rmSync(join(directory, name), { force: true });
    },
  };
};
