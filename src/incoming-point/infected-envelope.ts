/**
 * A correct envelope with a virus (RFC 6109 3.2.3): taken in charge, told to the sender's gestore for each recipient, kept
 * in quarantine, delivered to nobody. Crash point: none, all of it is one commit with the reception.
 */
import type { EnvelopeInHand } from '../delivery-point/index.js';
import type { ChangeSet, NewReception } from '../storage/index.js';
import type { Infection, ScanOptions } from './scan.js';
import { issuePresaInCarico, type PostOptions, tellGestore } from './take-charge.js';

export type InfectedOptions = PostOptions & Pick<ScanOptions, 'quarantine'>;

/** "A separate PEC notification of virus detection MUST be sent on behalf of every recipient": whether its mailbox exists or not. */
export async function takeInfected(
  options: InfectedOptions,
  envelope: EnvelopeInHand,
  digest: string,
  recipients: readonly string[],
  infection: Infection,
  changes: ChangeSet,
): Promise<{ readonly reception: NewReception[]; readonly quarantined: string }> {
  const presaInCarico = await issuePresaInCarico(options, envelope, recipients, changes);
  const { certified, origin, time } = envelope;
  const quarantined = await options.quarantine.add(
    envelope.message,
    {
      at: time.epochMs,
      kind: 'envelope',
      identificativo: certified.identificativo,
      gestore: origin,
      sender: certified.sender,
      recipients,
      subject: certified.subject,
      ...infection,
    },
    changes,
  );
  const detail = { virus: infection.virus, antivirus: infection.engine, quarantena: quarantined };
  const reception: NewReception[] = [];
  for (const recipient of recipients) {
    const notification = { kind: 'rilevazione-virus', recipient, virus: infection.virus } as const;
    reception.push({
      origin,
      identificativo: certified.identificativo,
      recipient,
      digest,
      at: time.epochMs,
      presaInCarico,
      finalOutcome: await tellGestore(options, envelope, notification, [recipient], changes, detail),
    });
  }
  return { reception, quarantined };
}
