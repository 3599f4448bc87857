/** How one dependency is. */
export class IndicatorAnswer {
  status: 'up' | 'down';
  milliseconds: number;
  code?: string;
  detail?: string;
}

export class HealthAnswer {
  status: 'ok' | 'unavailable';
  indicators: Record<string, IndicatorAnswer>;
}

/** How many nodes there are, and of how many somebody should know something. */
export class FleetAnswer {
  nodes: number;
  online: number;
  suspect: number;
  offline: number;
  /** No agent has connected yet. */
  never: number;
  drained: number;
  /** Out of service; not counted below. */
  disabled: number;
  /** Their agent's version is outside the masters' window: they get no work. */
  outsideVersions: number;
  clockSkewed: number;
  /** Two agents speak as one node. */
  duplicated: number;
  upgradesFailed: number;
}

export class StatusAnswer {
  success: boolean;
  version: string;
  role: 'master';
  /** RFC 3339. */
  startTime: string;
  installation: string;
  /** Position in the log up to which the read models are made. */
  position: number;
  indicators: Record<string, IndicatorAnswer>;
  /** Absent while a dependency is down. */
  fleet?: FleetAnswer;
}
