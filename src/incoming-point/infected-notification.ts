/**
 * A genuine notification with a virus (decisions 12): it counts and goes into quarantine; no mailbox gets it, and no
 * rilevazione-virus answers it (decisions 8). Its user is told what it says in a plain message. Crash point: none, all
 * of it is one commit with what the notification tells.
 */
import { encodeQuotedPrintable, part, readHeader } from '../mime/index.js';
import { ANOMALY_KEYWORD, type Daticert, type LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { ChangeSet, Outgoing } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import type { Infection, ScanOptions } from './scan.js';

export interface InfectedNotification {
  readonly arrival: Arrival;
  readonly daticert: Daticert;
  /** providerName of the gestore that signed it. */
  readonly gestore: string;
  readonly infection: Infection;
  readonly time: LegalTime;
}

/** @returns the entry of the quarantine */
export function setNotificationApart(
  { quarantine }: Pick<ScanOptions, 'quarantine'>,
  { arrival, daticert, gestore, infection, time }: InfectedNotification,
  changes: ChangeSet,
): Promise<string> {
  const about = {
    at: time.epochMs,
    kind: 'notification',
    identificativo: daticert.identificativo,
    gestore,
    sender: arrival.mailFrom,
    recipients: arrival.recipients,
    subject: daticert.oggetto ?? '',
    ...infection,
  } as const;
  return quarantine.add(arrival.message, about, changes);
}

/**
 * Puts into its user's mailbox, as an anomaly like every message that certifies nothing, what was in the receipt.
 * @returns its Message-ID, which the anomaly envelope keeps
 */
export async function tellOfInfected(
  { issuer }: Pick<ScanOptions, 'issuer'>,
  infected: InfectedNotification,
  outgoing: Outgoing,
  changes: ChangeSet,
): Promise<string> {
  const { time } = infected;
  const messageId = issuer.newId(time);
  const notice = plainNotice(infected, outgoing, issuer.provider, messageId);
  const sealed = await issuer.anomaly({
    time,
    mailFrom: '',
    recipients: [outgoing.sender],
    receivedHeader: await readHeader(notice),
    original: notice,
    eightBit: false,
    reason: 'avviso del gestore: una ricevuta contiene un virus',
  });
  const rope = Rope.of('Return-Path: <>\r\n', sealed.rope);
  changes.deposit({
    mailboxId: outgoing.mailboxId,
    folder: 'INBOX',
    content: await changes.content(rope),
    size: rope.length,
    internalDate: time.epochMs,
    flags: [ANOMALY_KEYWORD],
    // Receipts are always stored, and this stands for one (decisions 9).
    withinQuota: false,
  });
  return messageId;
}

function plainNotice(
  { daticert, gestore, infection, time }: InfectedNotification,
  outgoing: Outgoing,
  provider: { readonly name: string; readonly mailDomain: string },
  messageId: string,
): Rope {
  const lines = [
    `Una ricevuta di tipo "${daticert.tipo}", emessa dal gestore ${gestore}, contiene un virus`,
    `(${infection.virus}) e non è stata depositata in questa casella.`,
    'Ciò che la ricevuta attesta è stato registrato:',
    '',
    `Messaggio: ${outgoing.subject}`,
    ...(daticert.consegna === undefined ? [] : [`Destinatario: ${daticert.consegna}`]),
    `Data: ${daticert.giorno} ${daticert.ora} (${daticert.zona})`,
    `Identificativo: ${outgoing.identificativo}`,
    '',
    'La ricevuta originale è conservata dal gestore, al quale può essere chiesta.',
    '',
  ];
  const text = lines.map((line) => line.replace(/[\x00-\x1f\x7f]+/g, ' ')).join('\r\n');
  return part(
    [
      `From: postmaster@${provider.mailDomain}`,
      `To: ${outgoing.sender}`,
      'Subject: Ricevuta non depositata: contiene un virus',
      `Date: ${time.date}`,
      `Message-ID: <${messageId}>`,
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
    ],
    encodeQuotedPrintable(Buffer.from(text, 'utf8')),
  );
}
