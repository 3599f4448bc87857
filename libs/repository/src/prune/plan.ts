import type { CataloguedPack, PackCatalog } from '../catalog/pack-catalog.ts';
import { chunkIdBytes } from '../format/chunk-id.ts';
import { sortedShared } from '../state/sorted-ids.ts';
import type { Mark } from './mark.ts';
import type { PruneNumbers } from './prune-options.ts';

/** What becomes of each pack. */
export interface SweepPlan {
  readonly keep: readonly CataloguedPack[];
  readonly rewrite: readonly CataloguedPack[];
  readonly remove: readonly CataloguedPack[];
  /** 1 for each frame, by its number, that holds a chosen copy. */
  readonly liveFrames: Uint8Array;
}

/** What is planned, and the numbers it comes to. */
export interface Planned {
  readonly plan: SweepPlan;
  readonly numbers: Omit<PruneNumbers, 'snapshotsKept' | 'snapshotsRemoved'>;
}

const liveFramesOf = (catalog: PackCatalog, mark: Mark): Uint8Array => {
  const live = new Uint8Array(catalog.locations.frames.length);
  for (let copy = 0; copy < mark.chosen.length; copy++) if (mark.chosen[copy]) live[catalog.locations.at(copy).frame] = 1;
  return live;
};

/** Decides over `packs`: all live stays, nothing live goes, and what is dead to at least `minDead` is written anew. */
export const planSweep = (catalog: PackCatalog, packs: readonly CataloguedPack[], mark: Mark, minDead: number): Planned => {
  const liveFrames = liveFramesOf(catalog, mark);
  const { frames } = catalog.locations;
  const groups = { keep: [] as CataloguedPack[], rewrite: [] as CataloguedPack[], remove: [] as CataloguedPack[] };
  let [storedBefore, storedAfter, keptPlain] = [0, 0, 0];
  for (const pack of packs) {
    const own = frames.slice(pack.frames.from, pack.frames.to);
    const live = own.filter((_, i) => liveFrames[pack.frames.from + i] === 1);
    const liveBytes = live.reduce((sum, frame) => sum + frame.length, 0);
    const dead = own.reduce((sum, frame) => sum + frame.length, 0) - liveBytes;
    const group = live.length === 0 ? 'remove' : dead > 0 && dead >= minDead * pack.size ? 'rewrite' : 'keep';
    groups[group].push(pack);
    storedBefore += pack.size;
    if (group !== 'remove') storedAfter += group === 'keep' ? pack.size : pack.size - dead;
    for (const frame of group === 'keep' ? own : live) keptPlain += frame.plainLength;
  }
  const numbers = {
    packsKept: groups.keep.length, packsRewritten: groups.rewrite.length, packsRemoved: groups.remove.length,
    storedBefore, storedAfter, keptPlain, livePlain: mark.livePlain,
  };
  return { plan: { ...groups, liveFrames }, numbers };
};

/** Ids, ascending, that have a copy in a frame that goes and none in a frame that stays. */
export const condemnedIds = (catalog: PackCatalog, { plan }: Planned): Uint8Array => {
  const { locations } = catalog;
  const packs = [...plan.rewrite, ...plan.remove];
  // One piece of memory: millions of small ones would take many times as much.
  const going = Buffer.allocUnsafe(packs.reduce((sum, { chunks }) => sum + chunks.to - chunks.from, 0) * chunkIdBytes);
  let used = 0;
  const stays = new Set(plan.keep.map((pack) => pack.name));
  const staysIn = (copy: number): boolean => {
    const { frame } = locations.at(copy);
    return plan.liveFrames[frame] === 1 || stays.has(locations.frames[frame]?.pack ?? '');
  };
  for (const pack of packs) {
    for (let copy = pack.chunks.from; copy < pack.chunks.to; copy++) {
      const frame = locations.frames[locations.at(copy).frame];
      const id = locations.idOf(copy);
      if (frame && !locations.copies(frame.class, id).some(staysIn)) used += id.copy(going, used);
    }
  }
  return sortedShared(going.subarray(0, used));
};
