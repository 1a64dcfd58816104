import pino, { type DestinationStream, type LoggerOptions } from 'pino';
import { type EventFields, type EventName, events } from './events.js';
import { Metrics } from './metrics.js';
import { plainLine } from './plain.js';

/** Where every room tells what happens. */
export interface Telemetry {
  /** Writes the log line and moves the metrics of one event. Never throws. */
  event<N extends EventName>(name: N, fields: EventFields<N>): void;
  /** A metric that is read when somebody asks for it. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Prometheus exposition text of everything counted. */
  metrics(): Promise<string>;
  readonly metricsType: string;
  /** Waits until the last line is written. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly pretty: boolean;
}

const quietErrors = (error: Error): void => {
  // The reader of the log went away (a closed pipe): the server goes on without it.
  if (!('code' in error) || error.code !== 'EPIPE')
    process.stderr.write(`ceralacca: log: ${error.message}\n`);
};

/**
 * Telemetry of a server: JSON lines (pino) on standard output, or plain text with `pretty`, and the metrics of the
 * process. `destination` takes the lines elsewhere.
 */
export function createTelemetry(log: LogOptions, destination?: DestinationStream): Telemetry {
  const output = destination ? undefined : pino.destination({ fd: 1, sync: false });
  output?.on('error', quietErrors);
  const lines: DestinationStream = destination ?? output ?? { write: () => undefined };
  const target = log.pretty ? { write: (line: string) => lines.write(plainLine(line)) } : lines;
  const options: LoggerOptions = {
    level: log.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const logger = pino(options, target);
  const metrics = new Metrics({ process: true });
  return {
    event(name, fields) {
      const { level, text } = events[name];
      const facts: object = fields;
      logger[level]({ event: name, ...facts }, text);
      metrics.count(name, facts);
    },
    gauge: (name, help, read) => metrics.gauge(name, help, read),
    metrics: () => metrics.text(),
    metricsType: metrics.contentType,
    close: () => new Promise((done) => (output ? output.flush(() => done()) : done())),
  };
}

/** An event as a test sees it. */
export type RecordedEvent = {
  readonly [N in EventName]: { readonly name: N; readonly fields: EventFields<N> };
}[EventName];

export interface SilentTelemetry extends Telemetry {
  /** Everything told, in order. */
  readonly recorded: readonly RecordedEvent[];
}

/** Writes nothing and remembers everything: for tests. */
export function silentTelemetry(): SilentTelemetry {
  const recorded: RecordedEvent[] = [];
  const metrics = new Metrics({ process: false });
  return {
    recorded,
    event(name, fields) {
      recorded.push({ name, fields } as RecordedEvent);
      metrics.count(name, fields);
    },
    gauge: (name, help, read) => metrics.gauge(name, help, read),
    metrics: () => metrics.text(),
    metricsType: metrics.contentType,
    close: async () => undefined,
  };
}
