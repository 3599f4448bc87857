import { refuse, type FieldFault, type Refusal } from '#kernel';
import type { TaskDefinition } from './task.definition.ts';
import { placementFaults } from './task.placement.ts';

const duplicates = (items: readonly string[]): boolean => new Set(items).size !== items.length;

const sourceFaults = ({ source }: TaskDefinition): FieldFault[] => {
  const bad = source.paths.find((path) => !path.startsWith('/') || path.includes('\0'));
  return [
    ...(source.paths.length === 0 ? [{ field: 'source.paths', detail: 'Name at least one path' }] : []),
    ...(bad === undefined ? [] : [{ field: 'source.paths', detail: `Give absolute paths; "${bad}" is none` }]),
    ...(duplicates(source.paths) ? [{ field: 'source.paths', detail: 'Name each path once' }] : []),
  ];
};

const numberFaults = ({ timeoutSeconds, retries, retention }: TaskDefinition): FieldFault[] => {
  const keeps = Object.entries(retention).filter(([, value]) => value !== undefined && (!Number.isInteger(value) || value < 1));
  return [
    ...(timeoutSeconds < 60 || timeoutSeconds > 30 * 86_400 ? [{ field: 'timeoutSeconds', detail: 'Give a time from 60 s to 30 days' }] : []),
    ...(retries.max < 0 || retries.max > 10 ? [{ field: 'retries.max', detail: 'Give a number from 0 to 10' }] : []),
    ...(retries.delaySeconds < 0 || retries.delaySeconds > 86_400 ? [{ field: 'retries.delaySeconds', detail: 'Give a time up to one day' }] : []),
    ...keeps.map(([field]) => ({ field: `retention.${field}`, detail: 'Give a whole number of at least 1, or leave the rule out' })),
  ];
};

/** What is wrong with a definition, all of it; undefined when it may be used. Cron and time zone are checked where they are read. */
export const definitionFault = (definition: TaskDefinition): Refusal | undefined => {
  const faults: FieldFault[] = [
    ...(definition.name.trim() === '' || definition.name.length > 200 ? [{ field: 'name', detail: 'Give a name of 1 to 200 characters' }] : []),
    ...placementFaults(definition.placement),
    ...sourceFaults(definition),
    ...numberFaults(definition),
  ];
  if (faults.length === 0) return undefined;
  return refuse('validation', 'task-definition-invalid', `The task has ${faults.length} faulty field(s): ${faults[0]?.detail}`, faults);
};
