/** A node that is believed to be there, and when it was last heard of; milliseconds of the bus server's clock. */
export interface Watched {
  readonly node: string;
  readonly status: 'online' | 'suspect' | 'offline';
  /** Absent: never since the rows began. */
  readonly lastSeen?: number;
  /** When the bus said that its connection ended, if it was not heard of since. */
  readonly disconnectedAt?: number;
}

/** What judging liveness knows of its own view. */
export interface View {
  /** The bus server's own now. */
  readonly now: number;
  /** Milliseconds for which this master has received every heartbeat without a break. */
  readonly unbrokenMs: number;
  /** Milliseconds of silence after which a node is offline. */
  readonly silenceMs: number;
  /** Milliseconds after a disconnect without a reconnect after which it is. */
  readonly graceMs: number;
}

/** A node that is not there any more, and why. */
export interface Lost {
  readonly node: string;
  readonly reason: string;
  readonly lastSeen: number;
}

const lostBy = (watched: Watched, view: View): string | undefined => {
  const { lastSeen = 0, disconnectedAt } = watched;
  if (disconnectedAt !== undefined && lastSeen <= disconnectedAt && view.now - disconnectedAt >= view.graceMs) return 'its connection ended';
  // A master that was paused or cut off, or an empty stream, proves nothing.
  if (view.unbrokenMs < view.silenceMs) return undefined;
  return view.now - lastSeen >= view.silenceMs ? `no heartbeat for ${Math.round(view.silenceMs / 1000)} s` : undefined;
};

/** Which nodes are not there any more. Pure: both clocks are inputs. */
export const judgeLiveness = (nodes: readonly Watched[], view: View): Lost[] =>
  nodes.flatMap((watched) => {
    const reason = watched.status === 'offline' ? undefined : lostBy(watched, view);
    return reason === undefined ? [] : [{ node: watched.node, reason, lastSeen: watched.lastSeen ?? 0 }];
  });
