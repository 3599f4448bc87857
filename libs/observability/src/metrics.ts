import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { fault } from '#kernel';

/** A measured thing: its name begins with `holdfast_` and ends with its unit. */
export interface MetricDefinition<Label extends string> {
  readonly name: `holdfast_${string}`;
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** The measurements of a process, in the format of Prometheus. Asking twice for a name gives the same metric. */
export interface Metrics {
  counter<Label extends string = never>(definition: MetricDefinition<Label>): Counter<Label>;
  /** `collect` sets the value when it is asked for; it must be quick and must not throw. */
  gauge<Label extends string = never>(definition: MetricDefinition<Label>, collect?: (gauge: Gauge<Label>) => void): Gauge<Label>;
  /** @param buckets upper bounds in the unit of the name. */
  histogram<Label extends string = never>(definition: MetricDefinition<Label>, buckets: readonly number[]): Histogram<Label>;
  /** The page that Prometheus reads. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Bounds in seconds for things that take from a millisecond to half a minute. */
export const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** An empty registry with the metrics of the process itself; `labels` go with every sample. */
export const newMetrics = (labels: Readonly<Record<string, string>> = {}): Metrics => {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  const once = <M>(name: string, type: abstract new (...args: never[]) => M, make: () => M): M => {
    const existing: unknown = registry.getSingleMetric(name);
    if (existing === undefined) return make();
    if (existing instanceof type) return existing;
    throw fault('internal', 'metric-redefined', `The metric ${name} exists with another type`);
  };
  const options = <Label extends string>({ name, help, labels: labelNames = [] }: MetricDefinition<Label>) =>
    ({ name, help, labelNames: [...labelNames], registers: [registry] });
  return {
    counter: <Label extends string>(definition: MetricDefinition<Label>) =>
      once<Counter<Label>>(definition.name, Counter, () => new Counter(options(definition))),
    gauge: <Label extends string>(definition: MetricDefinition<Label>, collect?: (gauge: Gauge<Label>) => void) =>
      once<Gauge<Label>>(definition.name, Gauge, () => new Gauge({
        ...options(definition),
        ...(collect ? { collect(this: Gauge<Label>) { collect(this); } } : {}),
      })),
    histogram: <Label extends string>(definition: MetricDefinition<Label>, buckets: readonly number[]) =>
      once<Histogram<Label>>(definition.name, Histogram, () => new Histogram({ ...options(definition), buckets: [...buckets] })),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
