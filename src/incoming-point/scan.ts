import type { Antivirus, Quarantine } from '../antivirus/index.js';
import type { Issuer } from '../issuing/index.js';
import type { Header } from '../mime/index.js';
import type { LegalTime } from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import { ChangeSet, type Store } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Arrival } from './arrival.js';
import { uncertifiedEvent, wordsOf } from './uncertified.js';

export interface ScanOptions {
  readonly antivirus: Antivirus;
  readonly quarantine: Quarantine;
  readonly store: Store;
  readonly issuer: Issuer;
  readonly telemetry: Telemetry;
}

/** What was found in a message. */
export interface Infection {
  readonly virus: string;
  /** Engine and signature version, for the register. */
  readonly engine: string;
}

/**
 * Nothing goes into a mailbox unscanned (architecture 3). It is asked when something is about to be delivered: what was
 * answered already is answered again whatever newer signatures say.
 * @returns null for a clean message. @throws AntivirusUnavailable
 */
export async function scan(
  { antivirus, telemetry }: ScanOptions,
  message: Rope,
  identificativo?: string,
): Promise<Infection | null> {
  const { virus, engine } = await antivirus.scan(message);
  if (virus === null) return null;
  telemetry.event('antivirus.found', { virus, identificativo });
  return { virus, engine };
}

/**
 * An infected message that nothing certifies: registered, for its refusal in the session. Of a gestore's it is kept (RFC
 * 6109 2.2.4); ordinary mail is not, for it is handled as on the Internet (RFC 6109 2.2.2), and anybody could fill the disk.
 * @param gestore providerName of the gestore that signed it; undefined for ordinary mail
 */
export async function registerInfected(
  options: ScanOptions,
  arrival: Arrival,
  header: Header,
  time: LegalTime,
  { virus, engine }: Infection,
  gestore?: string,
): Promise<void> {
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  const { mailFrom: sender, recipients, message } = arrival;
  const kept =
    gestore === undefined
      ? {}
      : {
          quarantena: await options.quarantine.add(
            message,
            {
              at: time.epochMs,
              kind: 'anomaly',
              identificativo: '',
              gestore,
              sender,
              recipients,
              subject: wordsOf(header.text('Subject')),
              virus,
              engine,
            },
            changes,
          ),
        };
  changes.event(
    uncertifiedEvent(options, arrival, header, time, 'rifiuto', { virus, antivirus: engine, ...kept }),
  );
  await options.store.write('commitRefusal', changes.changes());
}
