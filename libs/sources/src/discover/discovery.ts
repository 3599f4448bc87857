/** How something was found: what was looked at, and what it said. */
export interface Evidence {
  readonly by: 'process' | 'socket' | 'port' | 'directory' | 'file';
  /** For people: a path, an address, a program with its number. No command line: those may hold passwords. */
  readonly detail: string;
}

/** Something on this host that may be worth a backup. Only what was seen is said: what is absent is not known. */
export interface Discovery {
  readonly kind: string;
  /** Its directory or file. Raw bytes. */
  readonly path?: Buffer;
  readonly version?: string;
  /** Whether it is served now. */
  readonly running?: boolean;
  /** Unix sockets on which it listens. */
  readonly sockets: readonly string[];
  /** `address:port` on which it listens. */
  readonly ports: readonly string[];
  /** Bytes, of what is one file. */
  readonly size?: number;
  /** Id of the container that it runs in; then its paths are not those of this host. */
  readonly container?: string;
  readonly evidence: readonly Evidence[];
}

/** What could not be looked at, so that an empty list is not taken for "there is nothing". */
export interface DiscoveryNote {
  /** The system's code, for example `EACCES`, or `bounded` where there was more than is looked at. */
  readonly code: string;
  readonly detail: string;
}

export interface Discoveries {
  readonly found: readonly Discovery[];
  readonly notes: readonly DiscoveryNote[];
}
