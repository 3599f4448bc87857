import { fault } from '#kernel';
import type { DomainEvent } from './event.ts';

/** Turns the data of one version into the data of the next. Pure. */
export type Upcaster = (data: object) => object;

/**
 * Every event type of a union with its upcasters, oldest first: the n-th turns version n into n + 1, so today's version is their
 * number + 1. `[]`: there has only been version 1.
 */
export type EventVersions<E extends DomainEvent = DomainEvent> = { readonly [Type in E['type']]: readonly Upcaster[] };

/** Declares the events of an aggregate; leaving one of the union out does not compile. */
export const defineEvents = <E extends DomainEvent>(versions: EventVersions<E>): EventVersions<E> => versions;

/** All event types that this build knows. */
export interface EventTypes {
  /** Today's version of `type`; throws `unknown-event` when there is no such type. */
  version(type: string): number;
  /** Data of an old version in today's shape; throws `unknown-event` for a type or version that this build does not know. */
  upcast(type: string, version: number, data: object): object;
  /** All types, sorted. */
  readonly names: readonly string[];
}

const unknown = (type: string, version?: number): Error =>
  fault('unavailable', 'unknown-event',
    `The log holds ${type}${version === undefined ? '' : ` of version ${version}`}, which this version of Holdfast does not know; upgrade this master`,
    { retryable: false });

/** Joins the events of all aggregates. The same type declared twice is a fault of the program. */
export const eventTypes = (...declared: readonly Readonly<Record<string, readonly Upcaster[]>>[]): EventTypes => {
  const all = new Map<string, readonly Upcaster[]>();
  for (const versions of declared) {
    for (const [type, upcasters] of Object.entries(versions)) {
      if (all.has(type)) throw fault('internal', 'event-declared-twice', `The event type ${type} is declared by two aggregates`);
      all.set(type, upcasters);
    }
  }
  return {
    names: [...all.keys()].sort(),
    version: (type) => {
      const upcasters = all.get(type);
      if (!upcasters) throw unknown(type);
      return upcasters.length + 1;
    },
    upcast: (type, version, data) => {
      const upcasters = all.get(type);
      if (!upcasters || !Number.isInteger(version) || version < 1 || version > upcasters.length + 1) throw unknown(type, version);
      return upcasters.slice(version - 1).reduce((shape, upcaster) => upcaster(shape), data);
    },
  };
};
