/** Runs: from the request through dispatch, claim and report to one truthful end. */
export { type RunEvent, runEventVersions } from './domain/run.events.ts';
export { type ParentRunEvent, parentRunEventVersions } from './domain/parent.events.ts';
export { parentDecider } from './domain/parent.decide.ts';
export {
  type RestoreChoice, type RunCause, type RunKind, type RunOrder, type RunPlan, type SnapshotFacts, type VerifyLevel, runKinds, verifyLevels,
} from './domain/run.plan.ts';
export { type RunCommand } from './domain/run.commands.ts';
export { type RunState, type RunStatus, isActive, isEnded } from './domain/run.state.ts';
export { runDecider } from './domain/run.decide.ts';
export { Deciding } from './deciding.ts';
export { decideRun } from './commands/decide-run.ts';
export { RequestRunHandler, type DutyRequest, type TaskRunRequest, scheduledRunId, verifyPlan } from './commands/request-run/request-run.handler.ts';
export { RequestParentHandler, type ParentRunRequest } from './commands/request-parent/request-parent.handler.ts';
export { type RequestedRun, StartRuns } from './commands/start-runs.ts';
export { DispatchRunHandler, type DispatchOutcome } from './commands/dispatch-run/dispatch-run.handler.ts';
export {
  ABSENCES, ADMISSION, COMMAND_SENDER, EXECUTORS, ID_KEYS, KNOWN_CHUNKS, NODE_DIRECTORY, RECIPIENTS, RESTORE_KEYS, RUN_ROWS, TARGET_ACCESS, WAITING_REPORTS,
  type Absences, type Admission, type AdmissionOutcome, type AdmissionRequest, type CommandSender, type DueRun, type Executors, type IdKeys, type KnownChunks, type KnownChunksPlace,
  type NodeDirectory, type NodeFacts, type Recipients, type RestoreKeys, type RestorePlace, type RunRows, type TargetAccess, type TargetObjects,
  type WaitingReports, type WriteGrantRequest,
} from './ports.ts';
export { RecentDirectories } from './adapters/recent-directories.ts';
export { RunRow } from './read-models/runs/run.entity.ts';
export { runRows } from './read-models/runs/run.projection.ts';
export { ExecutorBeat, RunAbsence, RunProgress } from './live/live.entities.ts';
