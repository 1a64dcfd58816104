import type { Issuer } from '../issuing/index.js';
import { readHeader } from '../mime/index.js';
import { ANOMALY_KEYWORD, type LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import type { ChangeSet, Mailbox } from '../storage/index.js';
import { composeDsn, type FailedRecipient } from './dsn.js';
import type { FailedEnvelope } from './non-delivery.js';

/** Somebody of ours who is told what did not arrive, and where he reads it. */
interface Reader {
  readonly mailboxId: number;
  readonly address: string;
}

interface Failure {
  readonly time: LegalTime;
  readonly hostname: string;
  /** As queued; its header goes back. */
  readonly message: Rope;
  readonly opening: readonly [string, string];
  readonly recipients: readonly FailedRecipient[];
}

/** An ordinary recipient has no errore-consegna: its sender gets a DSN (RFC 3464) as an anomaly (decisions 22). */
export async function depositDsn(
  issuer: Issuer,
  { time, outgoing, envelope, hostname }: FailedEnvelope,
  recipients: readonly FailedRecipient[],
  changes: ChangeSet,
): Promise<void> {
  const opening = [
    'Il messaggio non è stato consegnato ai seguenti destinatari di posta ordinaria.',
    'The message could not be delivered to the following ordinary recipients.',
  ] as const;
  const reader = { mailboxId: outgoing.mailboxId, address: outgoing.sender };
  const failure = { time, hostname, message: envelope, opening, recipients };
  const messageId = await deposit(issuer, reader, failure, changes);
  changes.event({
    identificativo: outgoing.identificativo,
    at: time.epochMs,
    event: 'dsn',
    sender: outgoing.sender,
    recipients: recipients.map(({ address }) => address),
    subject: outgoing.subject,
    related: [messageId],
    gestore: issuer.provider.name,
    detail: { risposta: answers(recipients) },
  });
}

/** Ordinary mail that a mailbox passes on and that does not arrive comes to the holder: its sender was told nothing else. */
export async function depositForwardDsn(
  issuer: Issuer,
  mailbox: Mailbox,
  { sender, subject, ...failure }: Omit<Failure, 'opening'> & Record<'sender' | 'subject', string>,
  changes: ChangeSet,
): Promise<void> {
  const opening = [
    `Un messaggio di posta ordinaria per ${mailbox.address} non è stato inoltrato, come la casella richiede, a:`,
    `An ordinary message to ${mailbox.address} could not be forwarded, as the mailbox wants it, to:`,
  ] as const;
  const reader = { mailboxId: mailbox.id, address: mailbox.address };
  const messageId = await deposit(issuer, reader, { ...failure, opening }, changes);
  changes.event({
    identificativo: '',
    at: failure.time.epochMs,
    event: 'dsn',
    sender,
    recipients: [mailbox.address],
    subject,
    related: [messageId],
    gestore: issuer.provider.name,
    detail: {
      inoltro: failure.recipients.map(({ address }) => address).join(' '),
      risposta: answers(failure.recipients),
    },
  });
}

const answers = (recipients: readonly FailedRecipient[]): string =>
  recipients.map(({ diagnostic }) => diagnostic).join('; ');

/** @returns the Message-ID of the anomaly envelope it comes in */
async function deposit(
  issuer: Issuer,
  { mailboxId, address }: Reader,
  { time, hostname, message, opening, recipients }: Failure,
  changes: ChangeSet,
): Promise<string> {
  const dsn = composeDsn({
    time,
    hostname,
    mailDomain: issuer.provider.mailDomain,
    messageId: issuer.newId(time),
    to: address,
    opening,
    recipients,
    returned: (await readHeader(message)).bytes,
  });
  const sealed = await issuer.anomaly({
    time,
    mailFrom: '',
    recipients: [address],
    receivedHeader: await readHeader(dsn),
    original: dsn,
    eightBit: false,
    reason: 'avviso di mancata consegna a destinatari di posta ordinaria',
  });
  const rope = Rope.of('Return-Path: <>\r\n', sealed.rope);
  const content = await changes.content(rope);
  changes.deposit({
    mailboxId,
    folder: 'INBOX',
    content,
    size: rope.length,
    internalDate: time.epochMs,
    flags: [ANOMALY_KEYWORD],
    withinQuota: false,
  });
  return sealed.messageId;
}
