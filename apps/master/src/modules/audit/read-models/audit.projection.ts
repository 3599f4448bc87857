import { parseTime } from '#kernel';
import { type ReadModel, readModel } from '#projections';
import { AuditRow } from './audit.entity.ts';

/** One row an event, of all `types`. */
export const auditModel = (types: readonly string[]): ReadModel<AuditRow> => readModel({
  name: 'audit',
  appends: true,
  entity: AuditRow,
  handles: types,
  keys: (event) => [event.id],
  evolve: (_row, { sequence, revision, aggregate, event, context }, id) => ({
    id, sequence, revision, time: new Date(parseTime(context.time)), actor: context.actor, from: context.from ?? null, type: event.type,
    aggregate: aggregate.type, aggregateId: aggregate.id, command: context.commandId,
  }),
});
