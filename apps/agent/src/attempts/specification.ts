import { BackupSpecification, type ClaimGranted, RestoreSpecification, type Specification, parseMessage } from '#contracts';
import { type Refusal, type Result, err, refuse } from '#kernel';
import type { WorkVerb } from './attempt.state.ts';

/** The specification of a claim, checked field by field: it was signed by a master, and still decides what is overwritten here. */
export const specificationOf = (verb: WorkVerb, granted: ClaimGranted): Result<Specification, Refusal> => {
  if (verb === 'backup') return parseMessage(BackupSpecification, granted.specification);
  if (verb === 'restore') return parseMessage(RestoreSpecification, granted.specification);
  return err(refuse('refused', 'verb-not-supported', `This version of the agent does not ${verb}; the masters do`));
};
