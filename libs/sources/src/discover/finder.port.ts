import type { Discovery } from './discovery.ts';
import type { HostView } from './host-view.ts';

/** Finds things of one kind on a host. */
export interface Finder {
  /** For the notes. */
  readonly kind: string;
  /** What it throws is noted, and the other finders go on. */
  find(host: HostView): Promise<readonly Discovery[]>;
}
