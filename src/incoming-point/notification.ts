import { keywordOf } from '../delivery-point/index.js';
import type { Directory, ProviderRecord } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import type { Header } from '../mime/index.js';
import {
  addressKey,
  type Daticert,
  domainOf,
  judgeNotification,
  type LegalTime,
  sameAddress,
  serviceAddress,
} from '../pec/index.js';
import { Rope } from '../rope/index.js';
import {
  ChangeSet,
  type Mailbox,
  type Outgoing,
  type ReceiptKind,
  type Store,
  StoreConflict,
  type TrackingFact,
} from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import type { Arrival } from './arrival.js';
import { certifiedOf } from './certified.js';
import { wrap } from './wrap.js';

export interface NotificationOptions {
  readonly store: Store;
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly telemetry: Telemetry;
  readonly findMailbox: (address: string) => Promise<Mailbox | undefined>;
  /** Address of the gestore's own service mailbox (RFC 6109 2.2.5). */
  readonly serviceMailbox: string;
}

/** A notification whose signature, origin and form hold. */
export interface NotificationInHand {
  readonly header: Header;
  readonly origin: ProviderRecord;
  readonly daticert: Daticert;
  readonly digest: string;
}

interface Fact {
  readonly identificativo: string;
  readonly recipient: string;
  readonly fact: TrackingFact;
  readonly at: number;
}

/** What the notification means here, before anything is written. */
interface Judged {
  readonly facts: readonly Fact[];
  /** Why its tracking is left alone; null when it counts or repeats what is known. */
  readonly anomaly: string | null;
  readonly alarm: string | null;
  readonly notes: Readonly<Record<string, string>>;
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
  const judged = await judge(options, arrival, notice, time);
  if (judged.alarm !== null) {
    options.telemetry.event('alarm', {
      name: 'notification-of-nothing',
      identificativo: notice.daticert.identificativo,
      reason: judged.alarm,
    });
  }
  if (judged.anomaly !== null && !isForService(notice.daticert)) {
    return wrap(options, arrival, notice.header, time, { reason: judged.anomaly, rule: 'always' });
  }
  const key = deduplicationKey(notice, arrival);
  const repeated = await commit(
    options,
    await storing(options, arrival, notice, time, judged, true),
    judged.facts,
    key,
  );
  if (repeated === 'other-bytes') return keepApart(options, arrival, notice, time, judged);
  options.telemetry.event('reception.notification', {
    identificativo: notice.daticert.identificativo,
    origin: notice.origin.providerName,
    kind: notice.daticert.tipo,
    repeated,
  });
}

/**
 * What is known already said again in other bytes: a user gets it as an anomaly; the gestore gets it as it is, but only
 * the first one is kept as a receipt.
 */
async function keepApart(
  options: NotificationOptions,
  arrival: Arrival,
  notice: NotificationInHand,
  time: LegalTime,
  judged: Judged,
): Promise<void> {
  const reason = 'una notifica dello stesso tipo, con un contenuto diverso, è già stata ricevuta';
  if (!isForService(notice.daticert)) {
    return wrap(options, arrival, notice.header, time, { reason, rule: 'always' });
  }
  const changes = await storing(options, arrival, notice, time, { ...judged, anomaly: reason }, false);
  await options.store.write('commitNotification', {
    ...changes.changes(),
    facts: [],
    digest: deduplicationKey(notice, arrival),
  });
}

/** The notification in its mailbox and in the register. */
async function storing(
  options: NotificationOptions,
  arrival: Arrival,
  notice: NotificationInHand,
  time: LegalTime,
  judged: Judged,
  asReceipt: boolean,
): Promise<ChangeSet> {
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  await deposit(options, arrival, notice, time, changes, asReceipt);
  changes.event({
    identificativo: notice.daticert.identificativo,
    at: time.epochMs,
    event: 'ricezione-notifica',
    sender: notice.daticert.mittente,
    recipients: arrival.recipients,
    subject: notice.daticert.oggetto ?? '',
    related: [messageIdOf(notice.header)],
    gestore: notice.origin.providerName,
    detail: {
      tipo: notice.daticert.tipo,
      da: arrival.peer,
      ...judged.notes,
      ...(judged.anomaly === null ? {} : { anomalia: judged.anomaly }),
    },
  });
  return changes;
}

/** Stores it; one that says again in other bytes what is known already takes no place (decisions 7). */
async function commit(
  options: NotificationOptions,
  changes: ChangeSet,
  facts: readonly Fact[],
  digest: string,
): Promise<boolean | 'other-bytes'> {
  try {
    return (
      await options.store.write('commitNotification', { ...changes.changes(), facts, digest, mustMove: true })
    ).repeated;
  } catch (error) {
    if (error instanceof StoreConflict && error.what === 'receipt') return 'other-bytes';
    throw error;
  }
}

/** Presa in carico and rilevazione virus speak to the gestore, everything else to its user (decisions 23). */
const isForService = (daticert: Daticert): boolean =>
  daticert.tipo === 'presa-in-carico' || daticert.tipo === 'rilevazione-virus';

async function judge(
  options: NotificationOptions,
  arrival: Arrival,
  notice: NotificationInHand,
  time: LegalTime,
): Promise<Judged> {
  const { daticert } = notice;
  const outgoing = await options.store.read('findOutgoing', { identificativo: daticert.identificativo });
  const about = daticert.tipo === 'presa-in-carico' ? daticert.ricezione : [daticert.consegna ?? ''];
  const facts: Fact[] = [];
  const notes: Record<string, string> = {};
  let anomaly: string | null = isMisaddressed(arrival, daticert, outgoing)
    ? 'la notifica non è indirizzata al mittente del messaggio a cui si riferisce'
    : null;
  let alarm: string | null = null;
  for (const recipient of about) {
    const judgement = judgeNotification(
      { ...daticert, gestore: notice.origin.providerName },
      recipient,
      time.epochMs,
      {
        ourselves: options.issuer.provider.name,
        outgoing,
        managedNowBy: options.directory.byDomain(domainOf(recipient))?.providerName,
      },
    );
    if (judgement.verdict === 'counts') {
      facts.push({
        identificativo: daticert.identificativo,
        recipient: judgement.tracked.recipient,
        fact: judgement.fact,
        at: time.epochMs,
      });
      if (judgement.inconsistency !== undefined) notes.incongruenza = judgement.inconsistency;
    } else if (judgement.verdict === 'anomaly') anomaly = judgement.reason;
    // Ours never leave the house: one that comes in is a copy of what its owner has (decisions 4).
    else if (judgement.verdict === 'untracked') anomaly = copyOfOurs(daticert.tipo);
    else if (judgement.verdict === 'alarm') alarm = judgement.reason;
  }
  return { facts, anomaly, alarm, notes };
}

const copyOfOurs = (tipo: string): string =>
  `una copia di un messaggio di tipo ${tipo} già emesso da questo gestore`;

/** What is said of a message is said to its sender, and to nobody else. */
function isMisaddressed(arrival: Arrival, daticert: Daticert, outgoing: Outgoing | undefined): boolean {
  if (isForService(daticert) || outgoing === undefined) return false;
  return !arrival.recipients.every((address) => sameAddress(address, outgoing.sender));
}

async function deposit(
  options: NotificationOptions,
  arrival: Arrival,
  { daticert, origin, header }: NotificationInHand,
  time: LegalTime,
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
  for (const mailbox of await targets(options, arrival, daticert)) {
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
  }
  options.telemetry.event('delivery.notification', {
    identificativo: certifiedOf(daticert).identificativo,
    origin: origin.providerName,
  });
}

/** Misaddressed ones never reach users, and nothing but its own kinds the service mailbox (decisions 23). */
async function targets(
  options: NotificationOptions,
  arrival: Arrival,
  daticert: Daticert,
): Promise<Mailbox[]> {
  const service = isForService(daticert);
  const mailDomain = options.issuer.provider.mailDomain;
  const addresses = service
    ? [options.serviceMailbox]
    : arrival.recipients.filter(
        (address) =>
          !sameAddress(address, options.serviceMailbox) && !sameAddress(address, serviceAddress(mailDomain)),
      );
  const found = await Promise.all(addresses.map((address) => options.findMailbox(address)));
  return [
    ...new Map(
      found.flatMap((mailbox) => (mailbox === undefined ? [] : [[mailbox.id, mailbox] as const])),
    ).values(),
  ];
}

const messageIdOf = (header: Header): string => (header.raw('Message-ID') ?? '').trim().replace(/^<|>$/g, '');

/** The same signed bytes to the same recipients are the same notification (decisions 7). */
const deduplicationKey = (notice: NotificationInHand, arrival: Arrival): string =>
  [notice.digest, ...arrival.recipients.map(addressKey).sort()].join(' ');
