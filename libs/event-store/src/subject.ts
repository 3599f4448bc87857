import { fault } from '#kernel';
import type { AggregateRef } from './event.ts';

const prefix = 'hf.events.';
const token = /^[A-Za-z0-9_-]{1,128}$/;

/** The stream of all events. */
export const eventsStream = 'EVENTS';
/** What EVENTS stores. */
export const eventSubjects = `${prefix}>`;

/** The one subject of an aggregate; `invalid-aggregate` when type or id holds what a subject may not. */
export const subjectOf = ({ type, id }: AggregateRef): string => {
  if (!token.test(type) || !token.test(id)) {
    throw fault('validation', 'invalid-aggregate', 'Names of aggregates are letters, digits, "-" and "_" (at most 128)', { internal: `${type} ${id}` });
  }
  return `${prefix}${type}.${id}`;
};

/** The aggregate of a subject; undefined for a foreign one. */
export const aggregateOf = (subject: string): AggregateRef | undefined => {
  if (!subject.startsWith(prefix)) return undefined;
  const [type, id, ...rest] = subject.slice(prefix.length).split('.');
  return type && id && rest.length === 0 ? { type, id } : undefined;
};
