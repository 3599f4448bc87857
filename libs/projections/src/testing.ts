export { type GivenEvent, projectionSpecification } from './projection.specification.ts';
export { dumpTables } from './dump.ts';
