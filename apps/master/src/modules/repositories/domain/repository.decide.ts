import type { Decider } from '#event-store';
import { err, ok, refuse, unreachable, type Refusal, type Result } from '#kernel';
import type { AddRecipient, AdmitSnapshot, CompletePrune, MarkPrune, RepositoryCommand, StartDeletion, StartRepository, TakeLease } from './repository.commands.ts';
import type { RepositoryEvent } from './repository.events.ts';
import { evolveRepository, initialRepository, type RepositoryState } from './repository.state.ts';

type Decision = Result<readonly RepositoryEvent[], Refusal>;

const take = ({ run, mode, node, target }: TakeLease, { leases }: RepositoryState): Decision => {
  const mine = leases.find((lease) => lease.run === run);
  if (mine) return ok([]);
  const blocker = leases.find((lease) => lease.mode === 'exclusive' || mode === 'exclusive');
  if (blocker) return err(refuse('conflict', 'repository-busy', `The repository is in use by ${blocker.run} (${blocker.mode})`));
  return ok([{ type: 'LeaseTaken', data: { run, mode, node, target } }]);
};

const start = ({ run, attempt, sha256 }: StartRepository, state: RepositoryState): Decision => {
  if (state.started?.sha256 === sha256) return ok([]);
  if (state.started || state.created) {
    return err(refuse('refused', 'repository-exists', 'repository.json has been granted once already; it is never written twice'));
  }
  return ok([{ type: 'RepositoryStarted', data: { run, attempt, sha256 } }]);
};

const admit = (command: AdmitSnapshot, state: RepositoryState): Decision => {
  const { snapshot, run, attempt, object, node, target, repositoryId, idKeyId } = command;
  if (state.latest?.snapshot === snapshot) return ok([]);
  if (state.pruning?.deleting === true) {
    return err(refuse('unavailable', 'repository-pruning', 'A prune is deleting from the repository; the snapshot is checked when that is over'));
  }
  if (state.deletions !== command.checkedDeletions) {
    return err(refuse('conflict', 'admission-outdated', 'The repository was pruned after the check; check again'));
  }
  const { created } = state;
  if (created && (created.repositoryId !== repositoryId || created.idKeyId !== idKeyId)) {
    return err(refuse('refused', 'other-repository', 'The snapshot belongs to another repository id; its node has lost or changed its id key'));
  }
  const admitted: RepositoryEvent = { type: 'SnapshotAdmitted', data: { snapshot, run, attempt, object } };
  return ok(created ? [admitted] : [{ type: 'RepositoryCreated', data: { node, target, repositoryId, idKeyId } }, admitted]);
};

const exclusive = (run: string, state: RepositoryState): Refusal | undefined =>
  state.leases.some((lease) => lease.run === run && lease.mode === 'exclusive')
    ? undefined
    : refuse('conflict', 'lease-missing', 'The prune holds no exclusive lease of the repository (any more)');

const mark = ({ run, condemned }: MarkPrune, state: RepositoryState): Decision => {
  const refusal = exclusive(run, state);
  if (refusal) return err(refusal);
  if (state.pruning?.run === run && state.pruning.condemned === condemned) return ok([]);
  const generation = state.generation + 1;
  return ok([{ type: 'PruneMarked', data: condemned === undefined ? { run, generation } : { run, generation, condemned } }]);
};

const startDeletion = ({ run, admissions }: StartDeletion, state: RepositoryState): Decision => {
  const refusal = exclusive(run, state);
  if (refusal) return err(refusal);
  if (state.pruning?.run !== run) return err(refuse('conflict', 'prune-unmarked', 'Nothing may be deleted before it is marked'));
  if (state.admissions !== admissions) return err(refuse('conflict', 'prune-outdated', 'A snapshot was admitted after the mark; mark again'));
  return ok(state.pruning.deleting ? [] : [{ type: 'DeletionStarted', data: { run } }]);
};

const complete = ({ type: _, ...pruned }: CompletePrune, state: RepositoryState): Decision => {
  const { run } = pruned;
  const refusal = exclusive(run, state);
  if (refusal) return err(refusal);
  if (state.pruning?.run !== run || !state.pruning.deleting) return err(refuse('conflict', 'prune-unmarked', 'Nothing may be deleted before it is marked'));
  return ok([{ type: 'RepositoryPruned', data: { ...pruned, generation: state.generation } }]);
};

const addRecipient = ({ class: kind, recipient }: AddRecipient, state: RepositoryState): Decision => {
  const known = kind === 'data' ? state.dataRecipients : state.catalogRecipients;
  return ok(known.includes(recipient) ? [] : [{ type: 'RecipientAdded', data: { class: kind, recipient } }]);
};

/** One repository: who may use it now, what it is, and what a prune may delete. Admission and deletion meet in its sequence. */
export const repositoryDecider: Decider<RepositoryState, RepositoryCommand, RepositoryEvent> = {
  aggregate: 'repository',
  initialState: initialRepository,
  evolve: evolveRepository,
  decide: (command, state) => {
    switch (command.type) {
      case 'TakeLease':
        return take(command, state);
      case 'ReleaseLease':
        return ok(state.leases.some((lease) => lease.run === command.run) ? [{ type: 'LeaseReleased', data: { run: command.run } }] : []);
      case 'StartRepository':
        return start(command, state);
      case 'AdmitSnapshot':
        return admit(command, state);
      case 'MarkPrune':
        return mark(command, state);
      case 'StartDeletion':
        return startDeletion(command, state);
      case 'CompletePrune':
        return complete(command, state);
      case 'AddRecipient':
        return addRecipient(command, state);
      default:
        return unreachable(command, 'repository command');
    }
  },
};
