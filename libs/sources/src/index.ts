export type { EntryType, ExtendedAttribute, Source, SourceEntry, SourceFault, WalkOptions } from './source.port.ts';
