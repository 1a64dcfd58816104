import { certifiedOf as certifiedOfOutgoing, issueToOwnUser } from '../delivery-point/index.js';
import type { ProviderRecord } from '../directory/index.js';
import type { Header } from '../mime/index.js';
import { addressKey, type Daticert, keywordOf, type LegalTime, sameAddress } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import { ChangeSet, type Mailbox, type ReceiptKind, StoreConflict } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { isForService, type Judged, type JudgeOptions, judge } from './judge.js';
import { refusalOf, tryWrap, type WrapOptions, wrap } from './wrap.js';

export interface NotificationOptions extends JudgeOptions, WrapOptions {
  /** Address of the gestore's own service mailbox (RFC 6109 2.2.5). */
  readonly serviceMailbox: string;
}

/** A notification whose signature, origin and form hold. */
export interface NotificationInHand {
  readonly header: Header;
  readonly origin: ProviderRecord;
  readonly daticert: Daticert;
  /** SHA-256 of the signed entity, hex. */
  readonly digest: string;
}

/** A notification, the transaction that brought it, and what it means. */
interface Case {
  readonly arrival: Arrival;
  readonly notice: NotificationInHand;
  readonly time: LegalTime;
  readonly judged: Judged;
}

/**
 * A correct notification of a gestore comes in (RFC 6109 2.2.2): its facts close the tracking, it lands in the
 * mailbox it is for, and a byte-identical repetition changes nothing (decisions 4, 7, 23).
 */
export async function takeNotification(
  options: NotificationOptions,
  arrival: Arrival,
  notice: NotificationInHand,
  time: LegalTime,
): Promise<void> {
  const judged = await judge(options, notice, time);
  const { identificativo } = notice.daticert;
  if (judged.alarm !== null) {
    options.telemetry.event('alarm', {
      name: 'notification-of-nothing',
      identificativo,
      reason: judged.alarm,
    });
  }
  if (isForService(notice.daticert)) return store(options, { arrival, notice, time, judged });
  if (judged.anomaly !== null) {
    return wrapNotice(options, { arrival, notice, time, judged }, judged.anomaly);
  }
  const sender = judged.outgoing?.sender ?? '';
  const recipients = arrival.recipients.filter((address) => sameAddress(address, sender));
  const strays = arrival.recipients.filter((address) => !sameAddress(address, sender));
  await wrapStrays(options, { arrival, notice, time, judged }, strays, recipients.length === 0);
  if (recipients.length > 0)
    await store(options, { arrival: { ...arrival, recipients }, notice, time, judged });
}

/** The user gets it as an anomaly, which certifies nothing. */
const wrapNotice = (options: NotificationOptions, { arrival, notice, time }: Case, reason: string) =>
  wrap(options, arrival, notice.header, time, {
    reason,
    rule: 'always',
    gestore: notice.origin.providerName,
  });

/** What is said of a message is said to its sender; whoever else it is addressed to gets an anomaly. */
async function wrapStrays(
  options: NotificationOptions,
  { arrival, notice, time }: Case,
  strays: readonly string[],
  alone: boolean,
): Promise<void> {
  const reason = 'la notifica non è indirizzata al mittente del messaggio a cui si riferisce';
  const outcomes = await Promise.all(
    strays.map((recipient) =>
      tryWrap(options, { ...arrival, recipients: [recipient] }, notice.header, time, {
        reason,
        rule: 'always',
        gestore: notice.origin.providerName,
      }),
    ),
  );
  if (alone && !outcomes.includes('delivered')) throw refusalOf(outcomes);
}

/** Commits the notification and what follows from it; a second one in other bytes takes no place (decisions 7). */
async function store(options: NotificationOptions, given: Case): Promise<void> {
  const { arrival, notice, judged } = given;
  const genuine = judged.anomaly === null && judged.alarm === null;
  try {
    const { repeated } = await options.store.write('commitNotification', {
      ...(await changesOf(options, given, genuine)),
      facts: judged.facts,
      digest: deduplicationKey(notice, arrival),
      mustMove: true,
    });
    options.telemetry.event('reception.notification', {
      identificativo: notice.daticert.identificativo,
      origin: notice.origin.providerName,
      kind: notice.daticert.tipo,
      repeated,
    });
  } catch (error) {
    if (!(error instanceof StoreConflict) || error.what !== 'receipt') throw error;
    await keepApart(options, given);
  }
}

/** Known already, said again in other bytes: the user gets it as an anomaly; the gestore as it is, not as a receipt. */
async function keepApart(options: NotificationOptions, given: Case): Promise<void> {
  const { arrival, notice, judged } = given;
  const reason = 'una notifica dello stesso tipo, con un contenuto diverso, è già stata ricevuta';
  if (!isForService(notice.daticert)) {
    return wrapNotice(options, given, reason);
  }
  await options.store.write('commitNotification', {
    ...(await changesOf(options, { ...given, judged: { ...judged, anomaly: reason } }, false)),
    facts: judged.facts,
    digest: deduplicationKey(notice, arrival),
    mustMove: true,
  });
}

async function changesOf(options: NotificationOptions, given: Case, asReceipt: boolean) {
  const { arrival, notice, time, judged } = given;
  const { daticert } = notice;
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  await deposit(options, given, changes, asReceipt);
  changes.event({
    identificativo: daticert.identificativo,
    at: time.epochMs,
    event: 'ricezione-notifica',
    sender: daticert.mittente,
    recipients: arrival.recipients,
    subject: daticert.oggetto ?? '',
    related: [messageIdOf(notice.header)],
    gestore: notice.origin.providerName,
    detail: {
      tipo: daticert.tipo,
      da: arrival.peer,
      ...judged.notes,
      ...(judged.anomaly === null ? {} : { anomalia: judged.anomaly }),
    },
  });
  await tellOfVirus(options, given, changes);
  return changes.changes();
}

/** Decisions 12: a virus the recipient's gestore found closes the tracking with an errore-consegna to our user. */
async function tellOfVirus(
  options: NotificationOptions,
  { notice: { daticert }, time, judged: { outgoing, facts } }: Case,
  changes: ChangeSet,
): Promise<void> {
  if (daticert.tipo !== 'rilevazione-virus' || outgoing === undefined) return;
  for (const { recipient } of facts) {
    await issueToOwnUser(
      options.issuer,
      {
        time,
        mailboxId: outgoing.mailboxId,
        to: outgoing.sender,
        certified: certifiedOfOutgoing(outgoing),
        notification: { kind: 'errore-consegna', recipient, virus: daticert.erroreEsteso ?? 'virus' },
      },
      changes,
    );
  }
}

async function deposit(
  options: NotificationOptions,
  { arrival, notice: { daticert, header, origin }, time, judged }: Case,
  changes: ChangeSet,
  asReceipt: boolean,
): Promise<void> {
  const rope = Rope.of(`Return-Path: <${arrival.mailFrom}>\r\n`, arrival.message);
  const content = await changes.content(rope);
  // A notification is never a posta-certificata: the form check has seen to it (decisions 5).
  const kind = daticert.tipo as ReceiptKind;
  if (asReceipt) {
    changes.receipt({
      direction: 'received',
      origin: options.issuer.provider.name,
      identificativo: daticert.identificativo,
      kind,
      recipient: daticert.consegna ?? '',
      step: '',
      messageId: messageIdOf(header),
      content,
      at: time.epochMs,
    });
  }
  const mailbox = await placeOf(options, daticert, judged);
  if (mailbox === undefined || !(await isClean(options, arrival, daticert))) return;
  changes.deposit({
    mailboxId: mailbox.id,
    folder: 'INBOX',
    content,
    size: rope.length,
    internalDate: time.epochMs,
    flags: [keywordOf(kind)],
    // Receipts to a full, suspended or revoked mailbox are always stored (decisions 9).
    withinQuota: false,
  });
  options.telemetry.event('delivery.notification', {
    identificativo: daticert.identificativo,
    origin: origin.providerName,
  });
}

/** The service mailbox for its kinds, for the others the mailbox the message was sent from (decisions 23). */
function placeOf(
  options: NotificationOptions,
  daticert: Daticert,
  { outgoing }: Judged,
): Promise<Mailbox | undefined> {
  if (isForService(daticert)) return options.findMailbox(options.serviceMailbox);
  // An alias may have moved to somebody else since.
  return options.store.read('findMailboxById', { id: outgoing?.mailboxId ?? 0 });
}

/** An infected notification counts and is kept, and does not reach a mailbox (decisions 12). */
async function isClean(options: NotificationOptions, arrival: Arrival, daticert: Daticert): Promise<boolean> {
  const { virus } = await options.antivirus.scan(arrival.message);
  if (virus === null) return true;
  const { identificativo, tipo } = daticert;
  options.telemetry.event('antivirus.found', { virus, identificativo });
  options.telemetry.event('alarm', {
    name: 'infected-notification',
    identificativo,
    reason: `${tipo}: ${virus}`,
  });
  return false;
}

const messageIdOf = (header: Header): string => (header.raw('Message-ID') ?? '').trim().replace(/^<|>$/g, '');

/** The same signed bytes to the same recipients are the same notification (decisions 7). */
const deduplicationKey = (notice: NotificationInHand, arrival: Arrival): string =>
  ['notification', notice.digest, ...arrival.recipients.map(addressKey).sort()].join(' ');
