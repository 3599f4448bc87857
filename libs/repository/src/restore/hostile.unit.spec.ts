import { describe, expect, it } from 'vitest';
import { chunksOf } from '../catalog/snapshot-closure.ts';
import { catalogChunkId } from '../format/chunk-id.ts';
import { limits } from '../format/limits.ts';
import { decodeReferences, encodeReferences, type Reference, referenceKind } from '../format/refs.ts';
import { encodeCatalogSection, encodeDataSection } from '../format/sections.ts';
import type { ChunkReader } from './chunk-reader.ts';
import { type OpenedSnapshot, readSections, sectionPlain } from './open-snapshot.ts';

const id = (byte: number): Buffer => Buffer.alloc(32, byte);
const chunk = (length: number, byte = 1): Reference => ({ kind: referenceKind.chunk, id: id(byte), length });

/** Chunks by id, and how many were asked for. */
const chunksAre = (plain: ReadonlyMap<string, Uint8Array>) => {
  let asked = 0;
  const read = async (_class: number, wanted: Buffer): Promise<Uint8Array> => {
    asked++;
    return plain.get(wanted.toString('hex')) ?? Buffer.alloc(0);
  };
  const reader = { read, list: (wanted: Buffer) => read(2, wanted) } as unknown as ChunkReader;
  return { reader, asked: () => asked };
};

describe('what somebody hostile can write', () => {
  it('a section that is one chunk again and again is refused before any of it is read', async () => {
    const { reader, asked } = chunksAre(new Map());
    const references = Array.from({ length: 1000 }, () => chunk(limits.plainBytes));
    await expect(sectionPlain({ form: 'chunks', references }, 2, reader)).rejects.toMatchObject({ code: 'snapshot-damaged' });
    expect(asked()).toBe(0);
  });

  it('a piece of a section that is longer than it says is refused', async () => {
    const { reader, asked } = chunksAre(new Map([[id(1).toString('hex'), Buffer.alloc(1000)]]));
    const references = Array.from({ length: 1000 }, () => chunk(1));
    await expect(sectionPlain({ form: 'chunks', references }, 2, reader)).rejects.toMatchObject({ code: 'snapshot-damaged' });
    expect(asked()).toBe(1);
  });

  it('a sparse index of another length than the manifest is refused, so that nobody reads beyond either', async () => {
    const part = { manifest: id(1), refs: Buffer.alloc(32), entries: 1, references: 0 };
    const section = (paths: number) => encodeDataSection({ task: { id: 't' }, source: {}, statistics: {}, index: Array.from({ length: paths }, (_, i) => Buffer.from(`p${i}`)) });
    const opened = (paths: number) => ({
      catalog: { form: 'inline', plain: encodeCatalogSection([part, part]) }, data: { form: 'inline', plain: section(paths) },
    }) as unknown as OpenedSnapshot;
    const { reader } = chunksAre(new Map());
    for (const paths of [0, 1, 3]) await expect(readSections(opened(paths), reader)).rejects.toMatchObject({ code: 'snapshot-damaged' });
    expect((await readSections(opened(2), reader)).parts).toHaveLength(2);
  });

  it('a record that stands for nothing is refused: there may be any number of them', () => {
    expect(() => decodeReferences(encodeReferences([chunk(0)]))).toThrow(expect.objectContaining({ code: 'refs-damaged' }));
  });

  it('lists that name one list over and over are followed once, and end', async () => {
    const many = limits.listRecords;
    const plain = new Map<string, Uint8Array>();
    const keep = (references: readonly Reference[]): Reference => {
      const bytes = encodeReferences(references);
      plain.set(catalogChunkId(bytes).toString('hex'), bytes);
      return { kind: referenceKind.list, id: catalogChunkId(bytes), length: references.reduce((sum, { length }) => sum + length, 0) };
    };
    let top = keep(Array.from({ length: many }, () => chunk(1)));
    for (let depth = 0; depth < 2; depth++) {
      const below = top;
      top = keep(Array.from({ length: many }, () => below));
    }
    const refs = encodeReferences([top, top, top]);
    plain.set(catalogChunkId(refs).toString('hex'), refs);
    const view = { parts: [{ manifest: id(9), refs: catalogChunkId(refs), entries: 3, references: 3 }], sections: [] };
    let found = 0;
    for await (const _ of chunksOf(view, chunksAre(plain).reader)) found++;
    expect(top.length).toBe(many ** 3);
    expect(found).toBeLessThan(4 * many);
  });
});
