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
}
