import type { Antivirus } from './antivirus.js';
import { ClamdAntivirus } from './clamd.js';
import { EicarAntivirus } from './eicar.js';

export { type Antivirus, AntivirusUnavailable, type ScanVerdict } from './antivirus.js';

/** The scanner the configuration names. */
export function openAntivirus(
  config: { readonly kind: 'clamd'; readonly clamd: string } | { readonly kind: 'builtin' },
): Antivirus {
  return config.kind === 'clamd' ? new ClamdAntivirus(config.clamd) : new EicarAntivirus();
}
