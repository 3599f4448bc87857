export { type HealthIndicator, type HealthOptions, type HealthReport, type IndicatorReport, checkHealth } from './health.ts';
export { type LoggerOptions, newLogger } from './logger.ts';
export { type MetricDefinition, type Metrics, newMetrics, secondsBuckets } from './metrics.ts';
export { nestLogger } from './nest-logger.ts';
export { redact, redactText, redacted } from './redact.ts';
