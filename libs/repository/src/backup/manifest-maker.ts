import { frameClass } from '../format/limits.ts';
import { manifestCut, manifestCutter } from '../format/manifest.ts';
import { recordBytes } from '../format/refs.ts';
import { type ManifestPart, noRefs } from '../format/sections.ts';
import type { ContentPool } from './content-pool.ts';

interface StartedPart {
  readonly manifest: Promise<Buffer>;
  readonly refs: Promise<Buffer>;
  readonly entries: number;
  readonly references: number;
}

/** Cuts lines into manifest chunks and their refs chunks as they come. */
export class ManifestMaker {
  private readonly pool: ContentPool;
  private readonly cutsAfter: (path: Uint8Array) => boolean;
  private readonly parts: StartedPart[] = [];
  private readonly firstPaths: Buffer[] = [];
  private lines: Buffer[] = [];
  private lineBytes = 0;
  private records: Uint8Array[] = [];
  private recordsTotal = 0;

  constructor(pool: ContentPool, cutKey: Uint8Array) {
    this.pool = pool;
    this.cutsAfter = manifestCutter(cutKey);
  }

  /** Paths must come in the manifest's order. */
  async add(path: Buffer, line: Buffer, references: Uint8Array): Promise<void> {
    if (this.lineBytes + line.length > manifestCut.max) await this.cut();
    if (this.lines.length === 0) this.firstPaths.push(path);
    this.lines.push(line);
    this.lineBytes += line.length;
    if (references.length > 0) this.records.push(references);
    this.recordsTotal += references.length / recordBytes;
    if (this.lineBytes >= manifestCut.min && this.cutsAfter(path)) await this.cut();
  }

  private async cut(): Promise<void> {
    if (this.lines.length === 0) return;
    const { id: manifest } = await this.pool.chunk(frameClass.data, Buffer.concat(this.lines));
    const refs = this.recordsTotal > 0 ? (await this.pool.chunk(frameClass.catalog, Buffer.concat(this.records))).id : Promise.resolve(noRefs);
    this.parts.push({ manifest, refs, entries: this.lines.length, references: this.recordsTotal });
    this.lines = [];
    this.records = [];
    this.lineBytes = this.recordsTotal = 0;
  }

  /** All parts, and the first path of each. */
  async finish(): Promise<{ readonly parts: readonly ManifestPart[]; readonly index: readonly Buffer[] }> {
    await this.cut();
    const parts = await Promise.all(this.parts.map(async (part) => ({ ...part, manifest: await part.manifest, refs: await part.refs })));
    return { parts, index: this.firstPaths };
  }
}
