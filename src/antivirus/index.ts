import type { Telemetry } from '../telemetry/index.js';
import type { Antivirus } from './antivirus.js';
import { ClamdAntivirus } from './clamd.js';
import { EicarAntivirus } from './eicar.js';
import { WatchedAntivirus } from './watched.js';

export { type Antivirus, AntivirusLimit, AntivirusUnavailable, type ScanVerdict } from './antivirus.js';
export { measureReach, reachFault, trustsArchives } from './measure.js';
export { QuarantineKeyError, QuarantineKeys } from './quarantine/keys.js';
export { type Infected, Quarantine, type QuarantineOptions } from './quarantine/quarantine.js';
export { SealBroken } from './quarantine/sealing.js';
export type { WatchedAntivirus } from './watched.js';

type Configured = { readonly kind: 'clamd'; readonly clamd: string } | { readonly kind: 'builtin' };

/** The scanner the configuration names. */
export function openAntivirus(config: Configured): Antivirus {
  return config.kind === 'clamd' ? new ClamdAntivirus(config.clamd) : new EicarAntivirus();
}

/** The same for a server: its failures are alarms. @param largest octets of the largest message it will be asked about */
export function watchedAntivirus(
  config: Configured,
  telemetry: Telemetry,
  largest: number,
  clock: () => number = Date.now,
): WatchedAntivirus {
  const limited = config.kind === 'clamd';
  const watched = new WatchedAntivirus(openAntivirus(config), { telemetry, largest, limited, clock });
  if (limited) {
    telemetry.gauge(
      'antivirus_signatures_age_seconds',
      'Age of the signatures of the antivirus; NaN while it is not known',
      () => (watched.signaturesAge() ?? Number.NaN) / 1000,
    );
  }
  return watched;
}
