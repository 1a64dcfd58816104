import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type EventName, events, type Metric } from './events.js';

export const metricPrefix = 'ceralacca_';

/** One of the table's metrics made real: moves it by an event's fields. */
type Move = (fields: Readonly<Record<string, unknown>>) => void;

/** Prometheus metrics of all events, in a registry of their own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #made = new Map<string, unknown>();
  readonly #moves = new Map<string, readonly Move[]>();

  constructor(options: { readonly process: boolean }) {
    if (options.process) collectDefaultMetrics({ register: this.#registry });
    for (const [name, { metrics }] of Object.entries(events)) {
      this.#moves.set(
        name,
        metrics.map((metric) => this.#realise(metric)),
      );
    }
  }

  count(name: EventName, fields: object): void {
    const facts = { ...fields };
    for (const move of this.#moves.get(name) ?? []) move(facts);
  }

  /** A gauge read when somebody asks, such as the length of the queue. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name: metricPrefix + name,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read());
      },
    });
  }

  /** A gauge with one label, read when somebody asks. */
  labelledGauge(name: string, help: string, label: string, read: () => ReadonlyMap<string, number>): void {
    new Gauge({
      name: metricPrefix + name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        for (const [value, count] of read()) this.set({ [label]: value }, count);
      },
    });
  }

  /** Exposition text (Prometheus 0.0.4). */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #realise(metric: Metric<never>): Move {
    const labels: readonly string[] = metric.labels ?? [];
    if ('counter' in metric) {
      const counter = this.#shared(metric.counter, (options) => new Counter(options), metric.help, labels);
      return (fields) => counter.inc(pick(fields, labels));
    }
    if ('gauge' in metric) {
      const gauge = this.#shared(metric.gauge, (options) => new Gauge(options), metric.help, labels);
      return (fields) => gauge.inc(pick(fields, labels), metric.by);
    }
    const histogram = this.#shared(
      metric.histogram,
      (options) => new Histogram(options),
      metric.help,
      labels,
    );
    const value: string = metric.value;
    return (fields) => histogram.observe(pick(fields, labels), Number(fields[value] ?? 0) / 1000);
  }

  /** Two events may move one metric: the second finds it made. */
  #shared<M>(
    name: string,
    make: (options: { name: string; help: string; labelNames: string[]; registers: Registry[] }) => M,
    help: string,
    labels: readonly string[],
  ): M {
    const full = metricPrefix + name;
    const existing = this.#made.get(full) as M | undefined;
    if (existing !== undefined) return existing;
    const made = make({ name: full, help, labelNames: [...labels], registers: [this.#registry] });
    this.#made.set(full, made);
    return made;
  }
}

function pick(fields: Readonly<Record<string, unknown>>, labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label) => [label, String(fields[label] ?? '')]));
}
