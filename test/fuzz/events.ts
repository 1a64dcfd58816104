import { type SilentTelemetry, silentTelemetry } from '../../src/telemetry/index.js';

/** Telemetry that keeps only the failures of sessions, until they are taken: what it kept for ever would be a leak. */
export function failureTelemetry(): { readonly telemetry: SilentTelemetry; taken(): string[] } {
  const failures: string[] = [];
  const telemetry: SilentTelemetry = {
    ...silentTelemetry(),
    event: (name, fields) => {
      if (name === 'session.failed') failures.push(JSON.stringify(fields));
    },
  };
  return { telemetry, taken: () => failures.splice(0) };
}
