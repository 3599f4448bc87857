import { frameClass } from '../format/limits.ts';
import { manifestCut, manifestCutter } from '../format/manifest.ts';
import { manifestLineTail } from '../format/manifest-line.ts';
import { recordBytes } from '../format/refs.ts';
import { type ManifestPart, noRefs } from '../format/sections.ts';
import type { ContentPool } from './content-pool.ts';

interface StartedPart {
  readonly manifest: Promise<Buffer>;
  readonly refs: Promise<Buffer>;
  readonly entries: number;
  readonly references: number;
}

/** A line to come into the manifest. */
export interface ManifestLine {
  readonly path: Buffer;
  /** See `manifestLineHead`. Asked for, as the references are, only when the line is stored anew. */
  readonly head: Buffer;
  readonly headLength: number;
  readonly references: Uint8Array;
  readonly referencesLength: number;
  /** The place that this very line had in the last manifest. */
  readonly ordinal: number | undefined;
}

/** The parts of the last manifest, and which chunks are still stored. */
export interface EarlierParts {
  /** By the place of their first entry. */
  readonly parts: ReadonlyMap<number, ManifestPart>;
  readonly stored: (id: Buffer) => boolean;
}

/** Ends of lines, by the number of references. */
const tails = Array.from({ length: 17 }, (_, references) => Buffer.from(manifestLineTail(references)));

/** Cuts lines into manifest chunks and their refs chunks as they come. A part of the last manifest that comes again as it was is that part. */
export class ManifestMaker {
  private readonly pool: ContentPool;
  private readonly earlier: EarlierParts;
  private readonly cutsAfter: (path: Uint8Array) => boolean;
  private readonly parts: StartedPart[] = [];
  private readonly firstPaths: Buffer[] = [];
  private lines: ManifestLine[] = [];
  private lineBytes = 0;
  private recordsTotal = 0;
  /** The earlier part that the lines so far are the beginning of. */
  private same: ManifestPart | undefined;
  private sameFrom = 0;

  constructor(pool: ContentPool, cutKey: Uint8Array, earlier: EarlierParts) {
    this.pool = pool;
    this.earlier = earlier;
    this.cutsAfter = manifestCutter(cutKey);
  }

  /** Paths must come in the manifest's order. Wait for the result, where there is one. */
  add(line: ManifestLine): Promise<void> | undefined {
    const tail = tails[line.referencesLength / recordBytes] as Buffer;
    const length = line.headLength + tail.length;
    if (this.lineBytes + length > manifestCut.max && this.lines.length > 0) return this.cut().then(() => this.append(line, length));
    return this.append(line, length);
  }

  private append(line: ManifestLine, length: number): Promise<void> | undefined {
    if (this.lines.length === 0) {
      this.firstPaths.push(line.path);
      this.sameFrom = line.ordinal ?? 0;
      this.same = line.ordinal === undefined ? undefined : this.earlier.parts.get(line.ordinal);
    } else if (line.ordinal !== this.sameFrom + this.lines.length || this.lines.length === this.same?.entries) {
      this.same = undefined;
    }
    this.lines.push(line);
    this.lineBytes += length;
    this.recordsTotal += line.referencesLength / recordBytes;
    // In the middle of a part that was not cut there the last time it is not cut there now.
    if (this.same && this.lines.length < this.same.entries) return undefined;
    return this.lineBytes >= manifestCut.min && this.cutsAfter(line.path) ? this.cut() : undefined;
  }

  private async cut(): Promise<void> {
    if (this.lines.length === 0) return;
    const counts = { entries: this.lines.length, references: this.recordsTotal };
    const again = this.storedPart();
    if (again) this.parts.push({ ...counts, manifest: Promise.resolve(again.manifest), refs: Promise.resolve(again.refs) });
    else this.parts.push({ ...counts, ...await this.store() });
    this.lines = [];
    this.lineBytes = this.recordsTotal = 0;
  }

  private storedPart(): ManifestPart | undefined {
    const { same, earlier } = this;
    if (same?.entries !== this.lines.length || same.references !== this.recordsTotal || !earlier.stored(same.manifest)) return undefined;
    return same.references === 0 || earlier.stored(same.refs) ? same : undefined;
  }

  private async store(): Promise<{ manifest: Promise<Buffer>; refs: Promise<Buffer> }> {
    const text = Buffer.concat(this.lines.flatMap(({ head, references }) => [head, tails[references.length / recordBytes] as Buffer]));
    const { id: manifest } = await this.pool.chunk(frameClass.data, text);
    if (this.recordsTotal === 0) return { manifest, refs: Promise.resolve(noRefs) };
    const { id: refs } = await this.pool.chunk(frameClass.catalog, Buffer.concat(this.lines.map((line) => line.references)));
    return { manifest, refs };
  }

  /** All parts, and the first path of each. */
  async finish(): Promise<{ readonly parts: readonly ManifestPart[]; readonly index: readonly Buffer[] }> {
    await this.cut();
    const parts = await Promise.all(this.parts.map(async (part) => ({ ...part, manifest: await part.manifest, refs: await part.refs })));
    return { parts, index: this.firstPaths };
  }
}
