import type { LeaseMode, RepositoryPlace, RepositoryPruned } from './repository.events.ts';

export type TakeLease = { readonly type: 'TakeLease'; readonly run: string; readonly mode: LeaseMode } & RepositoryPlace;
export interface ReleaseLease { readonly type: 'ReleaseLease'; readonly run: string }
/** Permits the one write of `repository.json`; the same bytes again are the same permission. */
export interface StartRepository { readonly type: 'StartRepository'; readonly run: string; readonly attempt: number; readonly sha256: string }
/** `checkedDeletions`: `deletions` of the state at which admission began. */
export type AdmitSnapshot = {
  readonly type: 'AdmitSnapshot';
  readonly snapshot: string;
  readonly object: string;
  readonly run: string;
  readonly attempt: number;
  readonly repositoryId: string;
  readonly idKeyId: string;
  readonly checkedDeletions: number;
} & RepositoryPlace;
export interface MarkPrune { readonly type: 'MarkPrune'; readonly run: string; readonly condemned?: string }
/** `admissions`: that of the state at which it marked: deletes nothing that was admitted since. */
export interface StartDeletion { readonly type: 'StartDeletion'; readonly run: string; readonly admissions: number }
export type CompletePrune = { readonly type: 'CompletePrune' } & Omit<RepositoryPruned['data'], 'generation'>;
export interface AddRecipient { readonly type: 'AddRecipient'; readonly class: 'data' | 'catalog'; readonly recipient: string }

export type RepositoryCommand = TakeLease | ReleaseLease | StartRepository | AdmitSnapshot | MarkPrune | StartDeletion | CompletePrune | AddRecipient;
