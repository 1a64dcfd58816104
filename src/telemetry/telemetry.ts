import pino, { type DestinationStream, type LoggerOptions } from 'pino';
import { type EventFields, type EventName, events } from './events.js';
import { Metrics } from './metrics.js';
import { plainLine } from './plain.js';
import { type StandingAlarm, StandingAlarms } from './standing.js';

/** Where every room tells what happens. */
export interface Telemetry {
  /** Writes the log line and moves the metrics of one event. Never throws. */
  event<N extends EventName>(name: N, fields: EventFields<N>): void;
  /**
   * A state an operator must look at begins, or lasts: told once, as `alarm`, until it is cleared.
   * @param about what it is about, where there may be several of the name; else empty
   */
  raise(name: string, about: string, reason: string): void;
  /** The state is over: told, as `alarm.cleared`, if it was raised. */
  clear(name: string, about: string): void;
  /** The states that last now. */
  standing(): readonly StandingAlarm[];
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
  const event: Telemetry['event'] = (name, fields) => {
    const { level, text } = events[name];
    const facts: object = fields;
    logger[level]({ event: name, ...facts }, text);
    metrics.count(name, facts);
  };
  return {
    event,
    ...standingAlarms(event, metrics),
    gauge: (name, help, read) => metrics.gauge(name, help, read),
    metrics: () => metrics.text(),
    metricsType: metrics.contentType,
    close: () => new Promise((done) => (output ? output.flush(() => done()) : done())),
  };
}

/** States that last, told through `event` and counted in a metric. */
function standingAlarms(
  event: Telemetry['event'],
  metrics: Metrics,
): Pick<Telemetry, 'raise' | 'clear' | 'standing'> {
  const alarms = new StandingAlarms({
    raised: ({ name, about, reason }) =>
      event('alarm', { name, reason, standing: true, ...(about === '' ? {} : { about }) }),
    cleared: ({ name, about }) => event('alarm.cleared', { name, about }),
  });
  metrics.labelledGauge(
    'alarms_standing',
    'States that last now and that an operator must look at',
    'name',
    () => alarms.counts(),
  );
  return {
    raise: (name, about, reason) => alarms.raise({ name, about, reason }),
    clear: (name, about) => alarms.clear(name, about),
    standing: () => alarms.list(),
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
  const event: Telemetry['event'] = (name, fields) => {
    recorded.push({ name, fields } as RecordedEvent);
    metrics.count(name, fields);
  };
  return {
    recorded,
    event,
    ...standingAlarms(event, metrics),
    gauge: (name, help, read) => metrics.gauge(name, help, read),
    metrics: () => metrics.text(),
    metricsType: metrics.contentType,
    close: async () => undefined,
  };
}
