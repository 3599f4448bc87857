import type { ItemFault, Progress, RunStatistics } from '#contracts';

/** Something that could not be read or written. */
export class ItemFaultAnswer implements ItemFault {
  /** Shown with `\xNN` for bytes that are not UTF-8. */
  path: string;
  code: string;
  detail: string;
}

/** What was counted; bytes and entries. */
export class StatisticsAnswer implements RunStatistics {
  files: number;
  directories: number;
  /** Symlinks, devices, fifos and sockets. */
  others: number;
  /** Logical bytes of all files. */
  bytes: number;
  /** Files whose content had to be read. */
  filesRead: number;
  bytesRead: number;
  /** Bytes of new chunks before compression. */
  addedBytes: number;
  /** Bytes written to the target. */
  storedBytes: number;
}

/** Counted progress of a running attempt. */
export class ProgressAnswer implements Progress {
  attempt: number;
  phase: string;
  files: number;
  bytes: number;
  /** Absent while nothing is known of them. */
  totalFiles?: number;
  totalBytes?: number;
  /** True when the totals are an expectation: what the last snapshot of the same task held, or what a snapshot says of itself. */
  estimated?: boolean;
  storedBytes: number;
  faults: number;
  /** What is read or written now. */
  current?: string;
  /** Milliseconds since the attempt began. */
  elapsedMs: number;
  /** Milliseconds that the rest takes when it goes on as it went so far: a guess. Absent while nothing can be said. */
  remainingMs?: number;
}
