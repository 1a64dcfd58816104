export type { EventFields, EventName } from './events.js';
export type { StandingAlarm } from './standing.js';
export {
  createTelemetry,
  type LogOptions,
  type RecordedEvent,
  type SilentTelemetry,
  silentTelemetry,
  type Telemetry,
} from './telemetry.js';
