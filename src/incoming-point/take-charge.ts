import {
  type Delivery,
  type DeliveryPoint,
  type EnvelopeInHand,
  enqueueNotification,
  envelopeEvent,
  type NotificationPost,
} from '../delivery-point/index.js';
import type { Directory } from '../directory/index.js';
import type { Issuer } from '../issuing/index.js';
import { domainOf, type Notification } from '../pec/index.js';
import type { ChangeSet, NewReception, ReceiptRow, ReceptionRow } from '../storage/index.js';

/** What it takes to tell another gestore something. */
export interface PostOptions {
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly post: NotificationPost;
}

export interface ChargeOptions extends PostOptions {
  readonly deliveryPoint: DeliveryPoint;
}

/** Fresh recipients: one presa in carico for the transaction, then each one's delivery (RFC 6109 3.2.1, 3.3). */
export async function takeCharge(
  options: ChargeOptions,
  envelope: EnvelopeInHand,
  digest: string,
  recipients: readonly string[],
  changes: ChangeSet,
): Promise<{ readonly reception: NewReception[]; readonly deliveries: Delivery[] }> {
  const presaInCarico = await issuePresaInCarico(options, envelope, recipients, changes);
  const deliveries = await options.deliveryPoint.deliver(envelope, recipients, changes);
  const reception = deliveries.map(({ recipient, finalOutcome }) => ({
    origin: envelope.origin,
    identificativo: envelope.certified.identificativo,
    recipient,
    digest,
    at: envelope.time.epochMs,
    presaInCarico,
    finalOutcome,
  }));
  return { reception, deliveries };
}

/** RFC 6109 3.2.1, decisions 1. @returns the receipt's index among the changes */
export const issuePresaInCarico = (
  options: PostOptions,
  envelope: EnvelopeInHand,
  recipients: readonly string[],
  changes: ChangeSet,
): Promise<number> =>
  tellGestore(options, envelope, { kind: 'presa-in-carico', recipients }, recipients, changes);

/**
 * Issues a notification that is for the sender's gestore, to the box it has for them (decisions 23).
 * @returns the receipt's index among the changes
 */
export async function tellGestore(
  { issuer, directory, post }: PostOptions,
  envelope: EnvelopeInHand,
  notification: Extract<Notification, { kind: 'presa-in-carico' | 'rilevazione-virus' }>,
  recipients: readonly string[],
  changes: ChangeSet,
  detail: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { time, certified, origin } = envelope;
  const to = receiptBox(directory, certified.sender);
  const sealed = await issuer.notification({ time, to, certified, notification });
  const content = await changes.content(sealed.rope);
  enqueueNotification(changes, post, {
    content,
    size: sealed.rope.length,
    certified,
    origin,
    to,
    at: time.epochMs,
  });
  changes.event(envelopeEvent(envelope, notification.kind, recipients, [sealed.messageId], detail));
  return changes.receipt({
    direction: 'issued',
    origin,
    identificativo: certified.identificativo,
    kind: notification.kind,
    recipient: 'recipient' in notification ? notification.recipient : '',
    step: '',
    messageId: sealed.messageId,
    content,
    at: time.epochMs,
  });
}

/** Repeated recipients: the same stored receipts go out again, each presa in carico once (decisions 7). */
export function repeatReceipts(
  { directory, post }: PostOptions,
  envelope: EnvelopeInHand,
  rows: readonly ReceptionRow[],
  changes: ChangeSet,
): void {
  const at = envelope.time.epochMs;
  const { certified, origin } = envelope;
  const box = receiptBox(directory, certified.sender);
  const again = ({ contentId, size }: ReceiptRow, to: string): void =>
    enqueueNotification(changes, post, { content: { id: contentId }, size, certified, origin, to, at });
  const prese = new Map(rows.map(({ presaInCarico }) => [presaInCarico.id, presaInCarico]));
  for (const presa of prese.values()) again(presa, box);
  for (const { finalOutcome } of rows) {
    again(finalOutcome, finalOutcome.kind === 'rilevazione-virus' ? box : certified.sender);
  }
}

/** `mailReceipt` of the record that manages the sender's domain, main or secondary (decisions 23). */
function receiptBox(directory: Directory, sender: string): string {
  const record = directory.byDomain(domainOf(sender));
  if (record === undefined) throw new Error(`no gestore manages the domain of ${sender}`);
  return record.mailReceipt;
}
