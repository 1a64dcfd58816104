import type { Antivirus } from '../antivirus/index.js';
import type { Issuer } from '../issuing/index.js';
import type { Header } from '../mime/index.js';
import type { LegalTime } from '../pec/index.js';
import { ChangeSet, type Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Arrival } from './arrival.js';
import { refusals } from './refusals.js';
import { uncertifiedEvent } from './uncertified.js';

export interface ScanOptions {
  readonly antivirus: Antivirus;
  readonly store: Store;
  readonly issuer: Issuer;
  readonly telemetry: Telemetry;
}

/**
 * Nothing goes into a mailbox unscanned (architecture 3). It is asked when something is about to be delivered: what was
 * answered already is answered again whatever newer signatures say.
 * @throws AntivirusUnavailable; SmtpError 550 for an infected message, which is registered
 */
export async function requireClean(
  options: ScanOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
): Promise<void> {
  const { antivirus, store, telemetry } = options;
  const { virus, engine } = await antivirus.scan(arrival.message);
  if (virus === null) return;
  telemetry.event('antivirus.found', { virus });
  const changes = new ChangeSet((rope) => store.pack(rope));
  changes.event(uncertifiedEvent(options, arrival, header, time, 'rifiuto', { virus, antivirus: engine }));
  await store.write('commitRefusal', changes.changes());
  throw refusals.virus(virus);
}
