import type { ProviderRecord } from '../directory/index.js';
import type { Header } from '../mime/index.js';
import { addressKey, type Daticert, keywordOf, type LegalTime, sameAddress } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import {
  ChangeSet,
  type ContentRef,
  type Mailbox,
  type ReceiptKind,
  StoreConflict,
} from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { type Examination, examinationText, examineAgain, tellOfVirus } from './examine-again.js';
import { setNotificationApart, tellOfInfected } from './infected-notification.js';
import { isForService, type Judged, type JudgeOptions, judge } from './judge.js';
import { type Infection, scan } from './scan.js';
import { refusalOf, tryWrapEach, type WrapOptions, wrap } from './wrap.js';

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
  const outcomes = await tryWrapEach(options, arrival, notice.header, time, {
    strays: strays.map((recipient) => ({ recipient, reason })),
    gestore: notice.origin.providerName,
  });
  if (alone && !outcomes.includes('delivered')) throw refusalOf(outcomes);
}

/** Commits the notification and what follows from it; a second one in other bytes takes no place (decisions 7). */
async function store(options: NotificationOptions, given: Case): Promise<void> {
  const { judged } = given;
  const genuine = judged.anomaly === null && judged.alarm === null;
  try {
    await commit(options, given, genuine);
  } catch (error) {
    if (!(error instanceof StoreConflict) || error.what !== 'receipt') throw error;
    await keepApart(options, given);
  }
}

/** Known already, said again in other bytes: the user gets it as an anomaly; the gestore as it is, not as a receipt. */
async function keepApart(options: NotificationOptions, given: Case): Promise<void> {
  const { notice, judged } = given;
  const reason = 'una notifica dello stesso tipo, con un contenuto diverso, è già stata ricevuta';
  if (!isForService(notice.daticert)) {
    return wrapNotice(options, given, reason);
  }
  await commit(options, { ...given, judged: { ...judged, anomaly: reason } }, false);
}

/** What was found out about a notification before its commit. */
interface Findings {
  /** Its own virus. */
  readonly infection: Infection | null;
  /** What we think now of the message in which another gestore found one. */
  readonly examination: Examination | null;
}

async function commit(options: NotificationOptions, given: Case, asReceipt: boolean): Promise<void> {
  const { arrival, notice, judged } = given;
  const { identificativo, tipo } = notice.daticert;
  const findings = await look(options, given);
  const { repeated } = await options.store.write('commitNotification', {
    ...(await changesOf(options, given, findings, asReceipt)),
    facts: judged.facts,
    digest: deduplicationKey(notice, arrival),
    mustMove: true,
  });
  const origin = notice.origin.providerName;
  options.telemetry.event('reception.notification', { identificativo, origin, kind: tipo, repeated });
  if (!repeated) warn(options, given, findings);
}

async function look(
  options: NotificationOptions,
  { arrival, notice: { daticert }, judged: { outgoing, facts } }: Case,
): Promise<Findings> {
  const infection = await scan(options, arrival.message, daticert.identificativo);
  const told = daticert.tipo === 'rilevazione-virus' && facts.length > 0;
  return {
    infection,
    examination: told && outgoing !== undefined ? await examineAgain(options, outgoing) : null,
  };
}

/** What an operator must look at, once it is durable. */
function warn({ telemetry }: NotificationOptions, { notice }: Case, found: Findings): void {
  const { infection, examination } = found;
  const { identificativo, tipo, erroreEsteso } = notice.daticert;
  if (infection !== null) {
    const reason = `${tipo}: ${infection.virus}`;
    telemetry.event('alarm', { name: 'infected-notification', identificativo, reason });
  }
  if (examination === null) return;
  const virus = erroreEsteso ?? 'virus';
  const reason = `${notice.origin.providerName} found ${virus}; ${examinationText(examination)}`;
  telemetry.event('antivirus.missed', { identificativo, virus, now: examination.result });
  telemetry.event('alarm', { name: 'virus-missed', identificativo, reason });
}

async function changesOf(
  options: NotificationOptions,
  given: Case,
  { infection, examination }: Findings,
  asReceipt: boolean,
) {
  const { arrival, notice, time, judged } = given;
  const { daticert } = notice;
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  const content = await keepReceipt(options, given, changes, asReceipt);
  if (infection === null) await deposit(options, given, content, changes);
  const apart = infection === null ? null : await setApart(options, given, infection, changes);
  changes.event({
    identificativo: daticert.identificativo,
    at: time.epochMs,
    event: 'ricezione-notifica',
    sender: daticert.mittente,
    recipients: arrival.recipients,
    subject: daticert.oggetto ?? '',
    related: [messageIdOf(notice.header), ...(apart?.related ?? [])],
    gestore: notice.origin.providerName,
    detail: {
      tipo: daticert.tipo,
      da: arrival.peer,
      ...judged.notes,
      ...(judged.anomaly === null ? {} : { anomalia: judged.anomaly }),
      ...apart?.detail,
    },
  });
  if (examination !== null && judged.outgoing !== undefined) {
    const recipients = judged.facts.map(({ recipient }) => recipient);
    const { outgoing } = judged;
    await tellOfVirus(options, { daticert, outgoing, recipients, examination, time }, changes);
  }
  return changes.changes();
}

/** Decisions 12. @returns what the register says of it */
async function setApart(
  options: NotificationOptions,
  { arrival, notice: { daticert, origin }, time, judged: { outgoing, facts } }: Case,
  infection: Infection,
  changes: ChangeSet,
): Promise<{ readonly related: readonly string[]; readonly detail: Readonly<Record<string, string>> }> {
  const infected = { arrival, daticert, gestore: origin.providerName, infection, time };
  const quarantena = await setNotificationApart(options, infected, changes);
  const detail = { virus: infection.virus, antivirus: infection.engine };
  // Without a fact it may be a repetition, of which nothing but the entry is written: that must not name what is not there.
  if (facts.length === 0) return { related: [], detail };
  if (isForService(daticert) || outgoing === undefined) {
    return { related: [], detail: { ...detail, quarantena } };
  }
  const told = await tellOfInfected(options, infected, outgoing, changes);
  return { related: [told], detail: { ...detail, quarantena } };
}

/** The bytes as they came; the proof of what they tell, where they count. */
async function keepReceipt(
  options: NotificationOptions,
  { arrival, notice: { daticert, header }, time }: Case,
  changes: ChangeSet,
  asReceipt: boolean,
): Promise<Kept> {
  const rope = Rope.of(`Return-Path: <${arrival.mailFrom}>\r\n`, arrival.message);
  const content = await changes.content(rope);
  if (asReceipt) {
    changes.receipt({
      direction: 'received',
      origin: options.issuer.provider.name,
      identificativo: daticert.identificativo,
      kind: kindOf(daticert),
      recipient: daticert.consegna ?? '',
      step: '',
      messageId: messageIdOf(header),
      content,
      at: time.epochMs,
    });
  }
  return { content, size: rope.length };
}

interface Kept {
  readonly content: ContentRef;
  /** Octets. */
  readonly size: number;
}

async function deposit(
  options: NotificationOptions,
  { notice: { daticert, origin }, time, judged }: Case,
  { content, size }: Kept,
  changes: ChangeSet,
): Promise<void> {
  const mailbox = await placeOf(options, daticert, judged);
  if (mailbox === undefined) return;
  changes.deposit({
    mailboxId: mailbox.id,
    folder: 'INBOX',
    content,
    size,
    internalDate: time.epochMs,
    flags: [keywordOf(kindOf(daticert))],
    // Receipts to a full, suspended or revoked mailbox are always stored (decisions 9).
    withinQuota: false,
  });
  options.telemetry.event('delivery.notification', {
    identificativo: daticert.identificativo,
    origin: origin.providerName,
  });
}

/** A notification is never a posta-certificata: the form check has seen to it (decisions 5). */
const kindOf = (daticert: Daticert): ReceiptKind => daticert.tipo as ReceiptKind;

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

const messageIdOf = (header: Header): string => (header.raw('Message-ID') ?? '').trim().replace(/^<|>$/g, '');

/** The same signed bytes to the same recipients are the same notification (decisions 7). */
const deduplicationKey = (notice: NotificationInHand, arrival: Arrival): string =>
  ['notification', notice.digest, ...arrival.recipients.map(addressKey).sort()].join(' ');
