import type { UnitOfWork } from '#event-store';
import { ok, type Refusal, type Result } from '#kernel';
import { requireRevision } from '../../platform/index.ts';
import { nameDecider } from './domain/name.decide.ts';
import { nameId } from './domain/name.state.ts';

/** A thing whose name changes: `from` absent when it is new, `to` absent when it goes. */
export interface Renaming {
  readonly kind: string;
  readonly owner: string;
  readonly from?: string;
  readonly to?: string;
}

/** Takes the new name and gives the old one back, in the batch of `unit`. Names that fold to the same are one name. */
export const rename = async (unit: UnitOfWork, { kind, owner, from, to }: Renaming): Promise<Result<undefined, Refusal>> => {
  const oldId = from === undefined ? undefined : nameId(kind, from);
  const newId = to === undefined ? undefined : nameId(kind, to);
  if (oldId === newId) return ok(undefined);
  if (to !== undefined && newId !== undefined) {
    const taken = await unit.decide(nameDecider, newId, { type: 'TakeName', kind, name: to, owner });
    if (!taken.ok) return taken;
  }
  if (oldId !== undefined) {
    const released = await unit.decide(nameDecider, oldId, { type: 'ReleaseName', owner });
    if (!released.ok) return released;
  }
  return ok(undefined);
};

/** A change of something that has a name, by somebody who has seen it at a revision. */
export interface NamedChange extends Omit<Renaming, 'to'> {
  /** What it is called now. */
  readonly from: string;
  /** Absent: it keeps its name. */
  readonly to: string | undefined;
  readonly revision: number;
  /** Undefined where the caller does not say. */
  readonly seen: number | undefined;
}

/** What every change of a named thing begins with, in the batch of `unit`: `stale-revision` where `seen` is old, then the new name. */
export const beginChange = async (unit: UnitOfWork, { to, revision, seen, ...named }: NamedChange): Promise<Result<undefined, Refusal>> => {
  const current = requireRevision(seen, revision);
  if (!current.ok) return current;
  return to === undefined ? ok(undefined) : rename(unit, { ...named, to });
};
