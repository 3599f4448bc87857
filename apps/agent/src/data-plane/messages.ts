import type { GrantRequest } from '#contracts';
import type { ErrorKind } from '#kernel';
import type { DataPlaneHooks, WorkOrder, WorkResult } from './data-plane.port.ts';

/** What a data plane asks its parent. */
export type ParentQuestion =
  | { readonly method: 'grants'; readonly objects: readonly GrantRequest[] }
  | { readonly method: 'known-chunks' }
  | { readonly method: 'id-key' }
  | { readonly method: 'packs'; readonly after?: string };

/** An error as it crosses the border between the processes. */
export interface WireError {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly detail: string;
  readonly retryable: boolean;
}

/** From the data plane to the agent. */
export type ChildMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'ask'; readonly id: number; readonly question: ParentQuestion }
  | { readonly type: 'progress'; readonly progress: Parameters<DataPlaneHooks['progress']>[0] }
  | { readonly type: 'log'; readonly level: Parameters<DataPlaneHooks['log']>[0]; readonly text: string }
  | { readonly type: 'result'; readonly result: WorkResult };

/** From the agent to the data plane. The order carries what opens the keys: this channel is a socket pair that nobody else sees. */
export type ParentMessage =
  | { readonly type: 'order'; readonly order: WorkOrder }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: WireError };
