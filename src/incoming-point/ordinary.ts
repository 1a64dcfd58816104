import type { Header } from '../mime/index.js';
import { type LegalTime, readDeliveryReport, sameAddress, serviceAddress } from '../pec/index.js';
import { Rope } from '../rope/index.js';
import { ChangeSet } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import { refusals } from './refusals.js';
import { registerInfected, scan } from './scan.js';
import { deliveryKey, uncertifiedEvent } from './uncertified.js';
import { type WrapOptions, wrap } from './wrap.js';

export interface OrdinaryOptions extends WrapOptions {
  /** The rule of mailboxes that set none (`policy.ordinary_mail`). */
  readonly ordinaryMail: 'reject' | 'anomaly';
  readonly serviceMailbox: string;
}

interface OrdinaryMail {
  readonly header: Header;
  /** Why it is not certified; Italian. */
  readonly reason: string;
}

/** A message that no gestore vouches for (RFC 6109 2.2.2, decisions 21 and 22). */
export async function takeOrdinary(
  options: OrdinaryOptions,
  arrival: Arrival,
  mail: OrdinaryMail,
  time: LegalTime,
): Promise<void> {
  const signing = serviceAddress(options.issuer.provider.mailDomain);
  if (arrival.mailFrom === '' && arrival.recipients.every((address) => sameAddress(address, signing))) {
    return keepBounce(options, arrival, mail, time);
  }
  if (arrival.mailFrom === '' && (await isAboutOurEnvelope(options, arrival))) {
    return wrap(options, arrival, mail.header, time, { reason: mail.reason, rule: 'always' });
  }
  if (options.ordinaryMail === 'anomaly') {
    return wrap(options, arrival, mail.header, time, { reason: mail.reason, rule: 'ordinary' });
  }
  return refuse(options, arrival, mail, time);
}

/** A DSN about an envelope of ours reaches its sender whatever the mailbox's rule says (decisions 22). */
async function isAboutOurEnvelope(options: OrdinaryOptions, arrival: Arrival): Promise<boolean> {
  const report = await readDeliveryReport(arrival.message);
  if (report?.identificativo === undefined) return false;
  const outgoing = await options.store.read('findOutgoing', { identificativo: report.identificativo });
  // Only an ordinary recipient's server has reason to send one.
  if (outgoing === undefined || !outgoing.tracking.some(({ kind }) => kind === 'esterno')) return false;
  return arrival.recipients.every((address) => sameAddress(address, outgoing.sender));
}

/** Octets of a bounce to the signing address that are kept. */
const BOUNCE_KEPT = 64 * 1024;

/** The lines that fit: one cut in two could end in a bare CR, which nobody may be given (architecture 4). */
async function wholeLines(message: Rope, limit: number): Promise<Rope> {
  if (message.length <= limit) return message;
  const head = await message.slice(0, limit).bytes();
  return message.slice(0, head.lastIndexOf('\r\n') + 2);
}

/** Bounces to the signing address are registered and kept in the service mailbox, never answered (decisions 22, 23). */
async function keepBounce(
  options: OrdinaryOptions,
  arrival: Arrival,
  { header, reason }: OrdinaryMail,
  time: LegalTime,
): Promise<void> {
  const service = await options.findMailbox(options.serviceMailbox);
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  if (service !== undefined && service.used < service.quota) {
    const infection = await scan(options, arrival.message);
    if (infection !== null) {
      await registerInfected(options, arrival, header, time, infection);
      throw refusals.virus();
    }
    // Anybody can send one: what is kept of it is enough to know it by.
    const rope = Rope.of('Return-Path: <>\r\n', await wholeLines(arrival.message, BOUNCE_KEPT));
    changes.deposit({
      mailboxId: service.id,
      folder: 'INBOX',
      content: await changes.content(rope),
      size: rope.length,
      internalDate: time.epochMs,
      flags: [],
      withinQuota: false,
    });
  }
  changes.event(uncertifiedEvent(options, arrival, header, time, 'ricezione-ordinaria', { motivo: reason }));
  await options.store.write('commitNotification', {
    ...changes.changes(),
    facts: [],
    digest: await deliveryKey(arrival),
  });
}

/** Ordinary mail is refused in the session, so that the sender's own server reports it (decisions 20). */
async function refuse(
  options: OrdinaryOptions,
  arrival: Arrival,
  { header, reason }: OrdinaryMail,
  time: LegalTime,
): Promise<never> {
  const found = await Promise.all(arrival.recipients.map((address) => options.findMailbox(address)));
  const changes = new ChangeSet((rope) => options.store.pack(rope));
  changes.event(uncertifiedEvent(options, arrival, header, time, 'rifiuto', { motivo: reason }));
  await options.store.write('commitRefusal', changes.changes());
  options.telemetry.event('reception.ordinary-refused', { reason });
  throw found.every((mailbox) => mailbox === undefined)
    ? refusals.unknownMailbox()
    : refusals.certifiedMailOnly(reason);
}
