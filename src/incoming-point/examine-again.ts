import { certifiedOf, issueToOwnUser } from '../delivery-point/index.js';
import type { Daticert, LegalTime } from '../pec/index.js';
import type { ChangeSet, Outgoing } from '../storage/index.js';
import type { ScanOptions } from './scan.js';

/** What our antivirus says now of a message that it let pass, and in which another gestore found a virus. */
export type Examination =
  | { readonly result: 'found'; readonly virus: string; readonly engine: string }
  | { readonly result: 'clean'; readonly engine: string }
  | { readonly result: 'failed'; readonly reason: string };

/**
 * RFC 6109 2.2.2: the sender's gestore must see what its antivirus missed. Whatever comes of it, the user is told: a
 * message that no scanner survives must not keep the notice away.
 */
export async function examineAgain(
  { antivirus, store }: Pick<ScanOptions, 'antivirus' | 'store'>,
  { contentId }: Outgoing,
): Promise<Examination> {
  try {
    const { virus, engine } = await antivirus.scan(await store.open(contentId));
    return virus === null ? { result: 'clean', engine } : { result: 'found', virus, engine };
  } catch (error) {
    return { result: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Decisions 12: a virus that the recipient's gestore found closes the tracking with an errore-consegna to our user. */
export async function tellOfVirus(
  { issuer }: Pick<ScanOptions, 'issuer'>,
  about: {
    readonly daticert: Daticert;
    readonly outgoing: Outgoing;
    readonly recipients: readonly string[];
    readonly examination: Examination;
    readonly time: LegalTime;
  },
  changes: ChangeSet,
): Promise<void> {
  const { daticert, outgoing, recipients, examination, time } = about;
  const virus = daticert.erroreEsteso ?? 'virus';
  for (const recipient of recipients) {
    await issueToOwnUser(
      issuer,
      {
        time,
        mailboxId: outgoing.mailboxId,
        to: outgoing.sender,
        certified: certifiedOf(outgoing),
        notification: { kind: 'errore-consegna', recipient, virus },
        detail: { errore: 'virus', virus, ...detailOf(examination) },
      },
      changes,
    );
  }
}

function detailOf(examination: Examination): Readonly<Record<string, string>> {
  switch (examination.result) {
    case 'found':
      return { riesame: examination.virus, antivirus: examination.engine };
    case 'clean':
      return { riesame: 'nessun virus rilevato', antivirus: examination.engine };
    case 'failed':
      return { riesame: `non riuscito: ${examination.reason}` };
  }
}

/** For the alarm. */
export function examinationText(examination: Examination): string {
  switch (examination.result) {
    case 'found':
      return `our antivirus finds ${examination.virus} now (${examination.engine})`;
    case 'clean':
      return `our antivirus still finds nothing (${examination.engine})`;
    case 'failed':
      return `our antivirus could not look again: ${examination.reason}`;
  }
}
