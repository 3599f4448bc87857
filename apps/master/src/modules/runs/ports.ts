import type { Command, Grant, RunReport } from '#contracts';
import type { Refusal } from '#kernel';
import type { ObjectStore } from '#storage';
import type { RepositoryState } from '../repositories/index.ts';
import type { Attempt } from './domain/run.state.ts';
import type { RunOrder, SnapshotFacts } from './domain/run.plan.ts';

/** `NodeDirectory`: what runs need to know of nodes. */
export const NODE_DIRECTORY = Symbol('NodeDirectory');

/** A node as dispatch sees it. */
export interface NodeFacts {
  readonly enrolled: boolean;
  readonly drained: boolean;
  /** Out of service. Absent: not. */
  readonly disabled?: boolean;
  /** Why an agent of its version gets no work; absent when it does. */
  readonly gate?: Refusal;
  readonly online: boolean;
  /** Milliseconds since 1970; absent while it is online or was never seen. */
  readonly offlineSince?: number;
  /** Runs that it may work on at once. */
  readonly slots: number;
  /** State directory that counts as the node's; absent until it has connected. */
  readonly instance?: string;
  /** Milliseconds since 1970: when its present keys enrolled. */
  readonly enrolledAt?: number;
  /** age recipient of its agent: what only it may open is sealed to this. */
  readonly recipient?: string;
}

export interface NodeDirectory {
  /** The node now, as fresh as an append where decisions need it; undefined when it does not exist or was removed. */
  find(node: string): Promise<NodeFacts | undefined>;
  /** Whether the agent of this state directory was heard of after `since` (milliseconds, the bus servers' clock). */
  heard(node: string, instance: string, since: number): Promise<boolean>;
  /** All nodes that bear these labels, in order of their ids; as fresh as the read models. */
  matching(selector: Readonly<Record<string, string>>): Promise<readonly (NodeFacts & { readonly id: string })[]>;
}

/** `TargetAccess`: the objects of a target, and grants for them. */
export const TARGET_ACCESS = Symbol('TargetAccess');

/** An object that may be written once: these bytes under this name. */
export interface WriteGrantRequest {
  readonly name: string;
  readonly size: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

export interface TargetObjects {
  readonly store: ObjectStore;
  /** Permission to create one object, valid for `seconds`. Names are those of `store`. */
  grantWrite(request: WriteGrantRequest, seconds: number): Promise<Grant>;
  /** Permission to read one object, valid for `seconds`. */
  grantRead(name: string, seconds: number): Promise<Grant>;
}

export interface TargetAccess {
  /** The part of the target that belongs to one node's repository. Throws `target-not-found`. */
  open(target: string, node: string): Promise<TargetObjects>;
}

/** `CommandSender`: puts a signed command into COMMANDS. */
export const COMMAND_SENDER = Symbol('CommandSender');

export interface CommandSender {
  /**
   * Resolves when the command is stored; sending it again is harmless. `repetition`: 0 is the first telling; the same number twice is
   * told once, another one is told again. Throws retryable errors.
   */
  send(command: Command, repetition?: number): Promise<void>;
}

/** `Admission`: the check of the repository format before a snapshot becomes a fact. */
export const ADMISSION = Symbol('Admission');

/** What is to be admitted, and what is known about the attempt that proposes it. */
export interface AdmissionRequest {
  readonly order: RunOrder;
  readonly attempt: Attempt;
  readonly report: RunReport;
  /** The ids of the repository; absent before its first snapshot. */
  readonly created?: { readonly repositoryId: string; readonly idKeyId: string };
}

/** Admitted: the facts of the snapshot. Refused: why, in a code and a sentence. */
export type AdmissionOutcome =
  | { readonly admitted: true; readonly snapshot: SnapshotFacts }
  | { readonly admitted: false; readonly code: string; readonly detail: string };

export interface Admission {
  /** Throws retryable errors when the target cannot be read now. */
  admit(request: AdmissionRequest): Promise<AdmissionOutcome>;
}

/** `RunRows`: the rows of the read model that reconcilers look through. */
export const RUN_ROWS = Symbol('RunRows');

/** A run as a reconciler sees it; possibly a moment old, so every act decides again. */
export interface DueRun {
  readonly id: string;
  readonly node: string;
  readonly status: string;
  readonly attempt: number;
  /** Milliseconds since 1970: of the attempt. */
  readonly deadline: number;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** Milliseconds since 1970 of the last dispatch. */
  readonly dispatchedAt: number;
  readonly instance?: string;
  readonly claim?: string;
  /** Milliseconds since 1970: when the rule of its task ends it where its node is away; absent: it waits as long as it takes. */
  readonly absenceDue?: number;
}

export interface RunRows {
  /** Queued runs whose time has come, oldest first. */
  queued(now: number, limit: number): Promise<readonly DueRun[]>;
  /** Runs with an attempt under way, oldest first; of one node when it is named. */
  active(node?: string): Promise<readonly DueRun[]>;
}

/** `ParentRows`: the rows of parent runs that reconcilers look through. */
export const PARENT_ROWS = Symbol('ParentRows');

/** A child as a reconciler sees it; possibly a moment old. */
export interface ChildRow {
  readonly id: string;
  readonly node: string;
  readonly status: string;
  readonly code?: string;
  /** An attempt has begun. */
  readonly started: boolean;
}

export interface ParentRows {
  /** Ids of parents that have not ended and for which something may be due, oldest first: those that only wait for their children are left out. */
  due(): Promise<readonly string[]>;
  /** All children that a parent has had. */
  children(parent: string): Promise<readonly ChildRow[]>;
}

/** `Absences`: which claimed attempts their nodes did not name at their last syncs. Kept in the schema `live`. */
export const ABSENCES = Symbol('Absences');

export interface Absences {
  /** Counts one more sync in a row without the attempt; returns how many there were and since when (milliseconds). */
  missed(run: string, attempt: number, now: number): Promise<{ readonly times: number; readonly since: number }>;
  /** The node named it, or it ended. */
  clear(run: string, attempt: number): Promise<void>;
}

/** `Recipients`: the age recipients of the installation. */
export const RECIPIENTS = Symbol('Recipients');

export interface Recipients {
  /** `data`: may read; `catalog`: may only collect garbage. Recovery recipients are among `data`. */
  current(): Promise<{ readonly data: readonly string[]; readonly catalog: readonly string[] }>;
}

/** `RestoreKeys`: unwraps what a restoring agent needs and seals it to that agent. */
export const RESTORE_KEYS = Symbol('RestoreKeys');

/** The snapshot that one claimed attempt restores. */
export interface RestorePlace {
  readonly claim: string;
  readonly target: string;
  /** Node whose repository is read. */
  readonly node: string;
  readonly snapshotObject: string;
}

export interface RestoreKeys {
  /** The keys of this snapshot as base64 of an age file to `recipient`. Throws `key-not-available` where the masters are no data recipient. */
  seal(place: RestorePlace, recipient: string): Promise<string>;
  /** Names of the packs that it needs, in byte order. Throws as `seal` does. */
  packs(place: RestorePlace): Promise<readonly string[]>;
}

/** `IdKeys`: hands the id key of a repository back to the agent that lost it. */
export const ID_KEYS = Symbol('IdKeys');

export interface IdKeys {
  /** base64 of an age file to `recipient`; undefined before the repository was begun, or where the masters are no data recipient. */
  seal(place: { readonly target: string; readonly node: string }, repository: RepositoryState, recipient: string): Promise<string | undefined>;
}

/** `WaitingReports`: reports that lie in REPORTS and have not been decided yet. */
export const WAITING_REPORTS = Symbol('WaitingReports');

export interface WaitingReports {
  /** Whether REPORTS holds a report of this attempt under this claim. */
  has(node: string, run: string, claim: { readonly attempt: number; readonly claim: string }): Promise<boolean>;
}

/** `KnownChunks`: makes the list of a repository's chunks for an agent that lost its cache. */
export const KNOWN_CHUNKS = Symbol('KnownChunks');

export interface KnownChunks {
  /** Name of the object that lists them, made if need be: the same one for the whole life of a claim. */
  prepare(place: KnownChunksPlace): Promise<string>;
}

/** The repository that a claimed attempt writes to. */
export interface KnownChunksPlace {
  readonly claim: string;
  readonly target: string;
  readonly node: string;
  /** 32 hex digits. */
  readonly repositoryId: string;
}

/** `Executors`: which masters are alive to work on runs of `node_control`. */
export const EXECUTORS = Symbol('Executors');

export interface Executors {
  /** Says that this instance lives. */
  beat(instance: string): Promise<void>;
  /** Whether it said so lately, on the database's clock. */
  isAlive(instance: string): Promise<boolean>;
}
