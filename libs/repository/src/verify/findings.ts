import { isAppError, messageOf } from '#kernel';
import { type TroubleKind, troubleOf } from '../catalog/pack-catalog.ts';
import type { AffectedSnapshot, VerifyFinding } from './verify-options.ts';

const listedPaths = 1_000;
const listedPlaces = 100;

interface Affected { snapshot: string; whole: boolean; entries: number; readonly paths: string[]; readonly places: string[] }
interface Found { readonly kind: TroubleKind; readonly object: string; readonly code: string; readonly detail: string; readonly affected: Map<string, Affected> }

/** What is lost in a snapshot by a finding. */
export interface Loss {
  readonly snapshot: string;
  readonly whole?: boolean;
  readonly entries?: number;
  readonly path?: string;
  readonly place?: string;
}

/** Collects findings, one an object and kind of trouble, and what each of them takes from which snapshot. */
export class Findings {
  private readonly found = new Map<string, Found>();

  /** Adds trouble with an object; repeated ones are one finding. Returns its key for `lose`. */
  add(object: string, trouble: { readonly kind: TroubleKind; readonly code: string; readonly detail: string }): string {
    const key = `${trouble.kind} ${object}`;
    if (!this.found.has(key)) this.found.set(key, { ...trouble, object, affected: new Map() });
    return key;
  }

  /** As `add`, from what was thrown. */
  thrown(object: string, error: unknown): string {
    const [code, detail] = isAppError(error) ? [error.code, error.detail] : ['internal-error', messageOf(error)];
    return this.add(object, { kind: troubleOf(error), code, detail });
  }

  /** Says what a snapshot loses by a finding. */
  lose(key: string, loss: Loss): void {
    const finding = this.found.get(key);
    if (!finding) return;
    const affected = finding.affected.get(loss.snapshot) ?? { snapshot: loss.snapshot, whole: false, entries: 0, paths: [], places: [] };
    finding.affected.set(loss.snapshot, affected);
    affected.whole ||= loss.whole ?? false;
    affected.entries += loss.entries ?? 0;
    if (loss.path !== undefined && affected.paths.length < listedPaths) affected.paths.push(loss.path);
    if (loss.place !== undefined && affected.places.length < listedPlaces && affected.places.at(-1) !== loss.place) affected.places.push(loss.place);
  }

  get count(): number {
    return this.found.size;
  }

  get outcome(): 'intact' | 'damaged' | 'incomplete' {
    const kinds = new Set([...this.found.values()].map((finding) => finding.kind));
    if (kinds.has('missing') || kinds.has('damaged')) return 'damaged';
    return kinds.has('unreachable') ? 'incomplete' : 'intact';
  }

  list(): VerifyFinding[] {
    return [...this.found.values()].map(({ affected, ...finding }) => ({ ...finding, affected: [...affected.values()] as AffectedSnapshot[] }));
  }
}
